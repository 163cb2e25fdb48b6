"""The catalogue of faults: what is done to real programs, what must hold then, and which tests do it.

``make faults`` runs all of them and prints the table; the invariants are explained in docs/reference/faults.md.
"""

from typing import Final, NamedTuple


class Fault(NamedTuple):
    """One fault: what happens, which invariants must hold, and the tests, as paths with names."""

    what: str
    invariants: str
    tests: tuple[str, ...]


_F, _L, _S = "tests/faults/", "tests/faults/lan/test_partitions.py::", "tests/services/"
FAULTS: Final[dict[str, Fault]] = {
    "F01": Fault("kill -9 at every write of a sale's commit", "I1 I2 I7", (
        _F + "test_kills.py::test_till_killed_at_any_write_keeps_every_acknowledged_sale",
        _F + "test_kills.py::test_till_killed_at_any_sync_or_change_of_a_file_keeps_every_acknowledged_sale",
        _F + "test_running_till.py::test_till_program_killed_inside_a_commit_has_every_acknowledged_sale_when_it_is_back",  # noqa: E501 - a name
    )),
    "F02": Fault("kill between commit and print, print and answer", "I2 I7", (
        _F + "test_paper.py::test_paper_is_only_of_durable_sales_and_never_comes_twice_unmarked",
    )),
    "F04": Fault("power cut: torn and reordered sectors", "I1 I7", (
        _F + "test_power_cuts.py::test_power_cut_with_torn_and_reordered_sectors_loses_no_acknowledged_sale",
    )),
    "F05": Fault("a disk that lies about fsync, then a power cut", "named loss, no crash loop", (
        _F + "test_power_cuts.py::test_lying_disk_is_found_out_and_the_lost_range_is_named",
        _F + "test_store_disks.py::test_a_disk_that_lied_loses_nothing_that_another_till_had_and_names_the_rest",
    )),
    "F06": Fault("fsync fails once", "never answered as complete", (
        _F + "test_power_cuts.py::test_sync_that_fails_once_is_never_answered_as_a_sale_and_the_till_goes_on",
        _F + "test_running_till.py::test_sync_error_is_answered_as_not_saved_and_the_same_cart_sells_without_a_restart",
    )),
    "F07": Fault("disk full during sales, later room again", "I1 I8", (
        _F + "test_full_disk.py::test_disk_that_fills_up_lets_the_till_finish_and_resumes_without_a_restart",
    )),
    "F08": Fault("disk full in checkpoint and at the close of a shift", "I1 I4 I7", (
        _F + "test_full_disk.py::test_full_disk_in_checkpoints_and_at_the_close_of_the_shift_balances_to_the_cent",
        _F + "test_upkeep_on_a_full_disk.py::test_a_full_disk_puts_upkeep_off_and_leaves_the_reserve_to_sales_until_there_is_room_again",  # noqa: E501 - a name
    )),
    "F09": Fault("the disk turns read-only", "a page that says: use another till", (
        _F + "test_full_disk.py::test_read_only_disk_makes_a_page_that_says_use_another_till",
        _F + "test_running_till.py::test_disk_that_turns_read_only_sends_the_cashier_to_another_till",
    )),
    "F10": Fault("fsync takes 20 to 500 ms", "I8", (
        _F + "test_slow_disk.py::test_slow_sync_keeps_nobody_from_looking_at_the_till",
    )),
    "F11": Fault("a bit flips in a database page", "detected, repaired from a peer, I4", (
        _F + "test_damage.py::test_every_flipped_bit_of_the_database_is_detected",
        _F + "test_recovery.py::test_till_whose_database_breaks_while_it_sells_comes_back_with_everything",
        _F + "test_store_disks.py::test_a_bit_that_flips_costs_only_sales_behind_it_that_no_other_till_had",
    )),
    "F14": Fault("the wall clock goes back an hour while selling", "I2 I7", (
        _F + "test_wrong_clock.py::test_clock_going_back_an_hour_neither_doubles_sales_nor_reverts_prices",
    )),
    "F16": Fault("one till lives ten years ahead", "I3, nobody dragged along", (
        _F + "test_clock_of_one_till.py::test_f16_a_till_ten_years_ahead_drags_nobody_along_and_its_prices_can_be_changed",  # noqa: E501 - a name
    )),
    "F18": Fault("the leader is killed", "I5 I6 I8", (
        _L + "test_f18_a_killed_leader_is_followed_by_another_and_comes_back",
    )),
    "F20": Fault("five tills split 2 and 3, both sell, heal", "I1 I2 I3 I6", (
        _L + "test_f20_two_of_five_sell_on_without_deciding_anything_and_agree_after_healing",
    )),
    "F23": Fault("two tills don't hear each other, both hear a third", "stable leader, I3", (
        _L + "test_f23_two_tills_that_do_not_hear_each_other_keep_one_leader_and_one_log",
    )),
    "F24": Fault("a till comes and goes every two seconds", "term grows by at most 1", (
        _L + "test_f24_a_till_that_comes_and_goes_deposes_nobody",
    )),
    "F25": Fault("5 % loss and 50 ms each way; doubled, reordered, corrupted frames (F26)", "I1 I2 I3 I8", (
        _L + "test_f25_f26_a_bad_network_delays_sales_and_loses_none",
    )),
    "F27": Fault("cables are pulled and put back", "I1 I3", (
        _L + "test_f27_a_till_whose_cable_was_pulled_sells_on_and_catches_up",
    )),
    "F28": Fault("256 kbit/s to head office, with a model on its way", "sales before models, I5", (
        _S + "hub/test_store_models.py::test_f28_over_a_slow_line_sales_reach_head_office_before_a_model_reaches_the_shop",  # noqa: E501 - a name
    )),
    "F29": Fault("the whole store loses power, one till never returns (F30: it is removed)", "I1, others by number", (
        _F + "test_store_disks.py::test_a_store_that_lost_power_goes_on_without_the_till_that_never_comes_back",
    )),
    "F31": Fault("a day without internet, then head office with 429 and 503", "I1 I2 I4", (
        _S + "test_bench.py::test_a_small_stores_backlog_drains_while_its_leader_sells",
    )),
    "F35": Fault("the last item is sold on three tills at once", "stock -2, one alert, I4", (
        _L + "test_f35_the_last_bottle_sold_on_three_cut_off_tills_is_one_alert_and_voids_nothing",
        _S + "test_oversell_store.py::test_the_last_item_sold_in_three_partitions_is_one_alert_and_no_money_moves",
    )),
    "F36": Fault("a rogue host on the shop's network", "I9, links stay, memory bounded", (
        _F + "test_rogue_host.py::test_f36_a_rogue_host_costs_no_link_no_sale_and_no_memory",
    )),
    "F39": Fault("a stolen till is revoked", "refused within 5 s", (
        _S + "test_store_commands.py::test_f39_a_stolen_till_is_cut_off_everywhere_within_five_seconds_and_sells_in_vain",  # noqa: E501 - a name
    )),
    "F40": Fault("a model is corrupt, stalls, dies, runs out of memory", "I8, sale by hand", (
        _S + "ai/test_camera.py::test_while_the_worker_hangs_or_dies_the_till_sells_and_counts_what_people_do_by_hand",
        _S + "ai/test_camera.py::test_a_flipped_byte_in_the_model_is_found_and_the_sale_is_made_by_hand",
        _S + "ai/test_worker.py::test_a_worker_over_its_memory_starts_anew",
    )),
}  # fmt: skip
