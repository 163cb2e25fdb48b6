"""Every maximum in one place, with the relations between them asserted.

Units come last in the names. A limit without a source is a guess and says so.
"""

from __future__ import annotations

from typing import Final

# Money and quantities: far above any shop, far below where SQLite's int64 sums could overflow.
AMOUNT_MINOR_MAX: Final = 10**11  # Guess: one line or payment up to 1,000,000,000.00.
QUANTITY_MILLI_MAX: Final = 10**9  # Guess: one million pieces, or one thousand tonnes.
RATE_PPM_MAX: Final = 10**6  # 100 %.
AGE_YEARS_MAX: Final = 99

# Texts.
NAME_CHARS_MAX: Final = 200
NOTE_CHARS_MAX: Final = 500
KEY_CHARS_MAX: Final = 100  # sku, barcode, customer id, cart id

MAILS_WAITING_MAX: Final = 1_000  # guess: two days of a busy till whose mail server is away
MAIL_RETRY_MS_FIRST: Final = 30_000
MAIL_RETRY_MS_MAX: Final = 3_600_000
MAIL_AGE_MS_MAX: Final = 2 * 86_400_000  # then nobody waits for the receipt any more

QUICK_KEYS_MAX: Final = 99  # two digits reach each of them

# Pictures of products. Sizes: a tile is 164 pixels wide, and screens show two pixels for one.
PICTURE_SIDE_MAX: Final = 320  # pixels
PICTURE_BYTES_MAX: Final = 24 << 10
PICTURE_UPLOAD_BYTES_MAX: Final = 256 << 10  # as it is sent: metadata comes off before the size is looked at
PICTURE_PARTS_MAX: Final = 256  # segments or chunks of one file; Guess: a progressive JPEG has about 30
PICTURES_BYTES_MAX: Final = 256 << 20  # all that one till keeps; Guess: 25,000 as the page makes them
PICTURES_LOOKED_AT_MAX: Final = 200  # at once, of those that are not here
PICTURES_NAMED_MAX: Final = 64  # in one message
PICTURES_MISSED_MAX: Final = 500  # that pages asked for and that are not here
PICTURE_MESSAGE_BYTES_MAX: Final = PICTURE_BYTES_MAX + 256
PICTURE_UNNAMED_MS: Final = 86_400_000  # a picture that no product names any more is forgotten after a day
OFFICE_PICTURES_BYTES_MAX: Final = PICTURES_BYTES_MAX  # all that head office keeps of one store: a till's whole shelf
OFFICE_PICTURES_ASKED_MAX: Final = 200  # in one question to head office
OFFICE_PICTURES_QUESTION_BYTES_MAX: Final = 16 << 10
OFFICE_PICTURES_WAITING_MAX: Final = 32  # calls that wait for head office's shelf of pictures; Guess: a second of work
OFFICE_PICTURE_UNASKED_MS: Final = 7 * 86_400_000  # then one may give way; a store asks for what it names every day

assert PICTURE_BYTES_MAX < PICTURE_UPLOAD_BYTES_MAX < PICTURES_BYTES_MAX
assert PICTURES_NAMED_MAX * 35 + 16 < PICTURE_MESSAGE_BYTES_MAX
assert OFFICE_PICTURES_ASKED_MAX * 67 + 20 < OFFICE_PICTURES_QUESTION_BYTES_MAX  # as JSON

# Practice at a till ends by itself: who forgets it would ring real sales into nothing.
TRAINING_MS_MAX: Final = 2 * 3_600_000  # guess: a morning's lesson

# Keys of customers' personal data.
SUBJECT_KEY_BYTES: Final = 32
SUBJECT_KEYS_MAX: Final = 1_000_000  # guess: far more customers than a store has, and 100 MB
SUBJECT_KEYS_EACH_MAX: Final = 64  # of one customer: tills apart may make one each, and fifteen is a large store
SUBJECT_KEYS_PER_MESSAGE_MAX: Final = 200
SUBJECT_TEXTS_CACHED_MAX: Final = 100_000  # of 20,000 customers; about 30 MB
SUBJECT_KEY_BUCKETS: Final = 256
SUBJECT_KEY_MESSAGES_WAITING_MAX: Final = 64  # of one till; what is told beyond is told again when sums are compared
SUBJECT_KEY_MESSAGE_BYTES_MAX: Final = 1 << 17
assert SUBJECT_KEYS_PER_MESSAGE_MAX * (4 * KEY_CHARS_MAX + SUBJECT_KEY_BYTES + 16) < SUBJECT_KEY_MESSAGE_BYTES_MAX

# A sale.
ORDER_LINES_MAX: Final = 500  # of one order of goods; guess
SALE_LINES_MAX: Final = 1_000  # The largest real invoice in the replay file has 705 lines.
SALE_PAYMENTS_MAX: Final = 50
CARTS_LOOKED_AT_MAX: Final = 50  # working carts, for a new gift card's code: a till has one or two open
CHANGE_NOTES_MAX: Final = (
    3  # Change is at most so many of the largest note: more is a slip of the finger, not a customer.
)
STOCK_TAIL_SALES_MAX: Final = 64  # whose stock is not folded yet: every reader adds them up
BARCODES_PER_PRODUCT_MAX: Final = 50

# Promotions and price lists. Guesses, far above what a shop can explain to its customers.
PROMOTIONS_MAX: Final = 500  # that a till looks at; the first by id
PROMOTION_CODES_MAX: Final = 500
PROMOTION_SKUS_MAX: Final = 500
GIFT_CODE_CHARS_MIN: Final = 8
GIFT_CODE_CHARS_MAX: Final = 32
REQUESTS_DONE_MAX: Final = 10_000  # named requests a till remembers; who asks again does so within seconds
PURSE_ENTRIES_SHOWN_MAX: Final = 1_000
BLOCK_REASON_CHARS_MAX: Final = 80  # it is shown at the till in one line
PURSE_MESSAGE_BYTES_MAX: Final = 1_000
PURSE_HOLDS_MAX: Final = 1_000  # reservations that a till keeps; more are granted without being kept
PURSE_HOLDS_PER_TILL_MAX: Final = (
    60  # of them that one till asked for: 15 tills at once fit, and one that lies fills none
)
PURSES_SERVED_MAX: Final = 32  # questions of one till that another one works on at once
PURSE_HEAR_S: Final = 0.3  # a payment waits so long for events that are on their way
PURSE_HOLD_MS: Final = 3_000  # a sale is on every till in touch long before
RIGHTS_MESSAGE_BYTES_MAX: Final = 1_000
RIGHTS_ASK_MS: Final = 5_000  # between two questions of a till about one product by itself; guess
RIGHTS_ANSWER_MS: Final = 3_000  # whoever asks by hand waits so long for the other till; no sale does
RIGHTS_SERVED_MAX: Final = 32  # questions of one till that another one works on at once: sales wait for them
RIGHTS_PARTNERS_MAX: Final = 256  # tills that one till hands rights of a product to in all its time; guess
GRANTS_KEPT_MAX: Final = 2_000  # hard-limited products whose last grant the store remembers; guess
RIGHTS_ASKED_MAX: Final = 1_000  # products that a till remembers to have asked about
PURSE_ANSWER_MS: Final = 300  # a payment waits so long for the till that keeps the purse
CUSTOMER_SALES_LOOKED_AT_MAX: Final = 200  # the newest ones, for the gift cards of a customer
COUPONS_PER_CART_MAX: Final = 10
COUPON_CHARS_MAX: Final = 32
PIECES_PER_SET_MAX: Final = 100
PRICE_LISTS_MAX: Final = 200
PRICE_LIST_ID_CHARS_MAX: Final = 30
PRICE_KEY_CHARS_MAX: Final = KEY_CHARS_MAX + PRICE_LIST_ID_CHARS_MAX + 18  # list|from_ms|sku

# Oversells. Guesses: a manager works through a page, and the sales that were too many are among the newest.
OVERSELLS_SHOWN_MAX: Final = 50
OVERSELL_SALES_SHOWN_MAX: Final = 6
OVERSELL_VOIDS_SUGGESTED_MAX: Final = 3
OVERSELL_SALES_LOOKED_THROUGH_MAX: Final = 5_000
OVERSELL_STOCK_EVENTS_LOOKED_THROUGH_MAX: Final = 2_000
OVERSELLS_RESOLVED_SHOWN_MAX: Final = 30
BACK_ORDERS_SHOWN_MAX: Final = 100
OVERSELL_POLICY_ADJUST_MILLI_MAX: Final = 10_000  # A policy may adjust little; more is for a person.

# The archive of old sales. Guesses: about 20 ms of the writer for a chunk, and as small as larger ones.
ARCHIVE_CHUNK_EVENTS: Final = 256
ARCHIVE_CHUNK_BYTES_MAX: Final = 1 << 20
ARCHIVE_AFTER_DAYS: Final = 30
ARCHIVE_AFTER_DAYS_SCARCE: Final = 7  # while room is scarce on the disk
ARCHIVE_AFTER_DAYS_TIGHT: Final = 1  # ... and while it is tight

# Room on a till's disk (tillmesh.till.room). The budget of the data is the original design's, the rest are guesses; of
# a limit in bytes and a share of the disk the smaller one counts, so that a small disk is no reason to worry.
DATA_BYTES_BUDGET: Final = 2_000_000_000
DATA_SCARCE_PERCENT: Final = 80  # of the budget
ROOM_SCARCE_BYTES: Final = 2 << 30  # free
ROOM_SCARCE_PERCENT: Final = 20
ROOM_TIGHT_BYTES: Final = 512 << 20
ROOM_TIGHT_PERCENT: Final = 5
ROOM_BACK_PERCENT: Final = 110  # of a limit has to be free again before it counts as passed

# A till of the store that has heard nothing for so long holds up nothing any more (tillmesh.till.silence). Longer than
# its certificate lives (30 days), after which a person takes it in again anyway, and than six weeks of a shut shop's
# holidays or of a repair; guess.
TILL_SILENT_DAYS: Final = 45
TILL_SILENT_DAYS_WARNED: Final = 14  # whoever is on holiday reads of it in time; guess
assert TILL_SILENT_DAYS_WARNED < ARCHIVE_AFTER_DAYS < TILL_SILENT_DAYS  # nothing is old enough to wait for it before

UPGRADE_COPY_DAYS: Final = 14  # Guess: whoever goes back over an upgrade does it sooner.

WEBHOOK_EVENTS_MAX: Final = 100  # in one message

# Numbers in events, of whatever till: what is above can't be read (tillmesh.shop.ranges). Part of the events' format.
EVENT_NUMBER_MAX: Final = AMOUNT_MINOR_MAX * SALE_LINES_MAX  # amounts and quantities: the largest sale there can be
EVENT_TOTAL_MAX: Final = 1 << 62  # sums over a till's whole life; nobody adds those up but as whole numbers of Python
EVENT_COUNT_MAX: Final = 1 << 62
EVENT_FIELD_MAX: Final = 1 << 53  # in registers: amounts, moments and counts; what JSON can hold
# What one actor may add to the stock of a product, or take from it, in all its time, and the same of rights: more is
# not counted, wherever it is heard of, so a sum over all actors fits 64 bits whatever their events say. Far above a
# shop (70 million tonnes), and small enough for one count to put right what a till that lies has done.
COLUMN_MILLI_MAX: Final = 1 << 46
assert COLUMN_MILLI_MAX < EVENT_NUMBER_MAX

# Event bodies and requests.
EVENT_BODY_BYTES_MAX: Final = 1 << 20
REQUEST_BODY_BYTES_MAX: Final = 2 << 20
IMPORT_BODY_BYTES_MAX: Final = 64 << 20
IMPORT_LINE_CHARS_MAX: Final = 16_384
IMPORT_COLUMNS_MAX: Final = 100
IMPORT_ROWS_MAX: Final = 500_000  # Guess: five times the largest catalogue we test with.
IMPORT_FINDINGS_KEPT_MAX: Final = 200
PRODUCTS_PER_EVENT_MAX: Final = 500
PAGE_ROWS_MAX: Final = 1_000
SEARCH_CHARS_MAX: Final = 100

# Replicated states (crdt). Guesses, far above a store of 15 tills; a state over its limit never comes into being.
ACTOR_CHARS_MAX: Final = 64
CRDT_ACTORS_MAX: Final = 1_024
CRDT_PAIRS_MAX: Final = 8_192  # who handed rights of one product to whom
CRDT_FIELDS_MAX: Final = 128
CRDT_VALUE_BYTES_MAX: Final = 32_768  # one field of a record
CRDT_VALUE_DEPTH_MAX: Final = 4
CRDT_DOTS_MAX: Final = 8_192  # live dots of one set
CRDT_RUNS_MAX: Final = 65_536  # gaps in what one set has seen
CRDT_STATE_BYTES_MAX: Final = 8 << 20

# Registers. An authority is a place in the store's agreement: a recovery leaps 2^20, so honest ones stay far below. One
# above counts as this: whoever made it up can then be outdone by the next honest decision, and not win for ever.
AUTHORITY_MAX: Final = 1 << 53

# Clocks.
HLC_DRIFT_MS_MAX: Final = 300_000  # 5 minutes; ADR 2.

# Raft between the tills of one store. Guesses: what is agreed there (members, settings, checkpoints) is small.
RAFT_ID_CHARS_MAX: Final = 64
RAFT_MEMBERS_MAX: Final = 64
RAFT_ENTRY_BYTES_MAX: Final = 1 << 20
RAFT_ENTRIES_PER_MESSAGE_MAX: Final = 1_024
RAFT_MESSAGE_PAYLOAD_BYTES: Final = 1 << 20  # Entries are added to a message up to this; one larger entry still goes.
RAFT_SNAPSHOT_BYTES_MAX: Final = 8 << 20
RAFT_MESSAGE_BYTES_MAX: Final = 10 << 20
RAFT_UNCOMMITTED_BYTES_MAX: Final = 4 << 20
RAFT_APPLY_BYTES_MAX: Final = 1 << 20  # Entries handed to the state machine at once.

# People.
PIN_DIGITS_MIN: Final = 4
PIN_DIGITS_MAX: Final = 12
PIN_FREE_TRIES: Final = 3
PIN_DELAY_MS_FIRST: Final = 1_000
PIN_DELAY_MS_MAX: Final = 300_000
PIN_QUIET_MS: Final = 3_600_000  # Guess: an hour without a wrong one forgives them all.
PIN_QUEUE_MAX: Final = 10  # tries waiting for their turn; each takes about 30 ms

assert SALE_LINES_MAX * NAME_CHARS_MAX * 4 < EVENT_BODY_BYTES_MAX  # a full sale always fits an event
assert SALE_LINES_MAX * AMOUNT_MINOR_MAX < 2**63  # totals fit SQLite's INTEGER
assert EVENT_BODY_BYTES_MAX < REQUEST_BODY_BYTES_MAX
assert PIN_DELAY_MS_FIRST <= PIN_DELAY_MS_MAX < PIN_QUIET_MS  # waiting is never the way to free tries
assert CRDT_FIELDS_MAX * (CRDT_VALUE_BYTES_MAX + 4 * (KEY_CHARS_MAX + ACTOR_CHARS_MAX) + 64) < CRDT_STATE_BYTES_MAX
assert 32 * RIGHTS_PARTNERS_MAX <= CRDT_PAIRS_MAX  # 32 tills that all lie can't make a counter too long
assert 2 * CRDT_PAIRS_MAX * (4 * ACTOR_CHARS_MAX + 9) < CRDT_STATE_BYTES_MAX
assert CRDT_DOTS_MAX * 4 * (KEY_CHARS_MAX + ACTOR_CHARS_MAX + 8) + CRDT_RUNS_MAX * 19 < CRDT_STATE_BYTES_MAX
assert PROMOTION_CODES_MAX * (COUPON_CHARS_MAX + 2) < CRDT_VALUE_BYTES_MAX  # codes are plain ASCII
assert BARCODES_PER_PRODUCT_MAX * (4 * KEY_CHARS_MAX + 2) < CRDT_VALUE_BYTES_MAX  # the largest field of a product

# Replication (tillmesh.sync).
SYNC_ACTORS_MAX: Final = 4_096  # Guess: 15 tills, each reinstalled now and then for decades.
assert 2 * SYNC_ACTORS_MAX * COLUMN_MILLI_MAX + STOCK_TAIL_SALES_MAX * SALE_LINES_MAX * EVENT_NUMBER_MAX < 2**63
FOLDED_PER_EVENT_MAX: Final = 64  # actors that are gone for good; guess: more than a store loses in years
FOLD_MILLI_MAX: Final = 1 << 30  # a column above it stays where it is: carried over, it would begin at nothing again
FOLD_PRODUCTS_PER_TURN_MAX: Final = 100  # whose rows are carried over in one transaction, between two sales
ACTOR_SUM_MAX: Final = 2**51 - 1  # What one actor's numbers may add up to at head office: 22 trillion in cents.
assert SYNC_ACTORS_MAX * ACTOR_SUM_MAX < 2**63  # so no sum over a store passes 64 bits, whatever its tills send
SYNC_EVENTS_PER_BATCH_MAX: Final = 1_000
SYNC_BATCH_BYTES_MAX: Final = 1 << 20  # of bodies; guess: about 2,000 sales, applied in well under a second
# What one till may have written that another one takes in (tillmesh.sync.intake): bodies, and what a row with its hash
# and its places in indexes takes beside it. Guesses: 3,000 sales a day are 9 MB with their signatures, a catalogue of
# 100,000 products 40 MB; so an honest till is away for a month, or changes all prices five times on one day.
INTAKE_EVENT_BYTES: Final = 256
INTAKE_DAY_BYTES: Final = 64 << 20
INTAKE_BURST_BYTES: Final = 256 << 20
INTAKE_WAIT_MS_MAX: Final = 600_000
assert 30 * 3_000 * 2 * (1_024 + INTAKE_EVENT_BYTES) < INTAKE_BURST_BYTES
assert 4 * INTAKE_BURST_BYTES < DATA_BYTES_BUDGET  # a till that lies does not fill a disk before somebody has looked
# A batch is stored in parts, so that a cashier's sale waits for one of them at most. Measured: 110 sales of ten lines
# (64 KB) take 4 ms of CPU, 680 changed products (64 KB) 30 ms; a till's processor may be four times slower.
MERGE_PART_EVENTS_MAX: Final = 200
MERGE_PART_BYTES_MAX: Final = 64 << 10
FRAME_UNPACKED_BYTES_MAX: Final = 4 << 20
FRAME_BYTES_MAX: Final = (4 << 20) + 1  # with the byte that names its channel


# Uploads to head office (tillmesh.sync.upload).
UPLOAD_BYTES_MAX: Final = 6 << 20  # as it arrives
UPLOAD_UNPACKED_BYTES_MAX: Final = 6 << 20
UPLOAD_ANSWER_BYTES_MAX: Final = 4 << 20
UPDATES_BYTES_MAX: Final = 1 << 20  # of bodies, in one answer
TRANSFERS_OPEN_MAX: Final = 500  # from one store to another; Guess: a warehouse that sends to a shop daily for a year
TRANSFERS_LOOKED_MAX: Final = 4 * TRANSFERS_OPEN_MAX  # the newest that a store was told of, to count those
STORE_GROUPS_MAX: Final = 500  # Guess: regions, formats and owners of a large chain
STORES_PER_GROUP_MAX: Final = 100_000
MODELS_MAX: Final = 64  # Guess: one for each task, a few candidates of each
HUB_NEWS_BYTES_MAX: Final = 1 << 20
LOG_PAGE_BODIES_BYTES: Final = 1 << 20  # Entries are added to a page up to this; one larger entry still goes.
LOG_PAGE_ENTRIES_MAX: Final = 200
LOG_PAGE_SCANNED_MAX: Final = 5_000  # messages of all stores that one page looks at
LOG_PAGE_RUNS_MAX: Final = 20_000
LOG_PAGE_BYTES_MAX: Final = 8 << 20  # unpacked, and as it arrives
LOG_PLACE_CHARS_MAX: Final = 4_096
RECOVERY_MS_MAX: Final = 72 * 3_600_000  # Guess: a new machine is bought and set up within three days
TERM_LEAP_MAX: Final = 1 << 20  # what one message or batch may add to a term; an operator's recovery adds 1,024
RETRY_AFTER_S_MAX: Final = 3_600  # however long head office asks to wait, it is asked again after an hour

# What tills say about their store (tillmesh.sync.store_messages).
STORE_LIST_BYTES_MAX: Final = (256 << 10) + 256  # a full list of tills with its signature
STORE_LISTS_MAX: Final = 8  # Guess: the newest, and those of other issuers that revoked somebody at the same time.
STORE_DOCUMENT_BYTES_MAX: Final = 4_096
STORE_MESSAGE_BYTES_MAX: Final = 3 << 20

# What a till says of itself (tillmesh.sync.standing).
STANDING_LINKS_MAX: Final = 64
STANDING_BYTES_MAX: Final = 8_192

assert EVENT_BODY_BYTES_MAX + SYNC_BATCH_BYTES_MAX < FRAME_UNPACKED_BYTES_MAX  # one event over the batch still fits
assert EVENT_BODY_BYTES_MAX + SYNC_BATCH_BYTES_MAX + STORE_LISTS_MAX * STORE_LIST_BYTES_MAX < UPLOAD_UNPACKED_BYTES_MAX
assert LOG_PAGE_BODIES_BYTES + UPLOAD_UNPACKED_BYTES_MAX < LOG_PAGE_BYTES_MAX
assert (EVENT_BODY_BYTES_MAX + UPDATES_BYTES_MAX) * 4 // 3 < UPLOAD_ANSWER_BYTES_MAX  # bytes are base64 in JSON
assert RAFT_MESSAGE_PAYLOAD_BYTES + RAFT_ENTRY_BYTES_MAX + 64 * RAFT_ENTRIES_PER_MESSAGE_MAX < RAFT_MESSAGE_BYTES_MAX
assert RAFT_SNAPSHOT_BYTES_MAX + 8 * RAFT_MEMBERS_MAX * RAFT_ID_CHARS_MAX < RAFT_MESSAGE_BYTES_MAX
assert STORE_LISTS_MAX * STORE_LIST_BYTES_MAX + 1024 < STORE_MESSAGE_BYTES_MAX < FRAME_BYTES_MAX
assert STANDING_LINKS_MAX * (ACTOR_CHARS_MAX + 2) + 128 < STANDING_BYTES_MAX

# Money taken or given back twice. Guesses: it takes a partition and two tills at the same cart or receipt.
MONEY_CONFLICTS_MAX: Final = 1_000
MONEY_ANSWERS_MAX: Final = 10_000  # sales with more than one refund, most of them rightly so

# The fraud score (tillmesh.edge). Guesses: a store's people, and the people and cards one of them deals with again.
FRAUD_CASHIERS_MAX: Final = 500
FRAUD_TIES_MAX: Final = 200  # customers and gift cards that one cashier gave something to
FRAUD_QUEUE_MAX: Final = 200  # acts that wait for their score; more are let go unscored, and counted
FRAUD_REASONS_MAX: Final = 3
FRAUD_ACTS_MIN: Final = 200  # Guess: before a shop has so many acts nobody knows what is usual in it
FRAUD_HISTORY_ACTS_MAX: Final = 10_000  # from which a till learns what is usual when it starts
FRAUD_FLAGS_SHOWN_MAX: Final = 200
FRAUD_TREES_MAX: Final = 1_000
FRAUD_NODES_MAX: Final = 65_536

# Forecasts (tillmesh.edge.demand).
DEMAND_DAYS_MAX: Final = 400  # of history
DEMAND_AHEAD_DAYS_MAX: Final = 56
DEMAND_PRODUCTS_MAX: Final = 5_000  # Guess: what a store really sells in some weeks, the most sold first

# Models on a till (tillmesh.edge). Sizes: all that ship with the program stay below 40 MiB together.
BUNDLE_BYTES_MAX: Final = 32 << 20
BUNDLE_FILES_MAX: Final = 32
MANIFEST_BYTES_MAX: Final = 256 << 10
MODEL_VERSION_MAX: Final = 1 << 31
MODEL_ORDERS_MAX: Final = 2 * MODELS_MAX  # of one store: what all its tills run, and what some of them try
MODEL_ORDER_BYTES_MAX: Final = 1_024
MODEL_ORDER_MS: Final = 30 * 86_400_000  # Guess: a shop that was without internet for a season asks for a new one
MODEL_VERSIONS_MAX: Final = 1_000  # of one model in the registry
CANARY_STORES_MAX: Final = 1_000
MODEL_REPORTS_MAX: Final = 500  # in one call
MODEL_REPORTS_BYTES_MAX: Final = 512 << 10
MODEL_REPORTS_KEPT_MS: Final = 90 * 86_400_000
MODEL_REPORT_ROWS_MAX: Final = 20_000  # of one model in one store: 15 tills that report every two hours for 90 days
MODEL_REPORT_VERSIONS_MAX: Final = 16  # of one model in one store, the latest ones that it spoke of
MODEL_REPORTS_READ_MAX: Final = 50_000  # the newest, to judge one model by
MODEL_REASONS_MAX: Final = 32  # of fallbacks, by name
MODEL_CONFIDENCE_BINS: Final = 20
MODEL_PIECE_BYTES_MIN: Final = 8 << 10  # a quarter of a second at 256 kbit/s, and so what a heartbeat waits at most
MODEL_PIECE_BYTES_MAX: Final = 64 << 10  # between tills
MODEL_CHUNK_BYTES_MAX: Final = 256 << 10  # from head office
MODEL_MESSAGE_BYTES_MAX: Final = 256 << 10  # what a till says about models, at once
MODEL_STORED_BYTES_MAX: Final = 128 << 20  # bundles as they travel, kept to hand out; Guess: three times what ships
MODEL_FREE_BYTES_MIN: Final = ROOM_TIGHT_BYTES  # what must stay free for sales when a model is fetched
MODEL_REPORTS_KEPT_MAX: Final = 128  # of one till, until head office has them: a day without internet
MODEL_REPORTS_PASSED_MAX: Final = 500  # of the others, at the leader
MODEL_REFUSALS_MAX: Final = 64  # kinds of refusals that are counted apart
MODEL_FAILURES_MAX: Final = 5  # more than it answers, then it is given up; Guess: one bad picture is tried thrice
INFERENCE_BATCH_MAX: Final = 4
INFERENCE_WAITING_MAX: Final = 32  # Guess: what a whole shift asks for in the deadline of the first; more get none
INFERENCE_DEADLINE_MS: Final = 300  # of a model whose manifest names none; after it people type
INFERENCE_DEADLINE_MS_MAX: Final = 10_000
INFERENCE_STALL_MS: Final = 2_000  # after the deadline of what it works on, a silent worker is ended
INFERENCE_LOAD_MS_MAX: Final = 30_000  # Guess: a till's slow disk, and libraries that were never read before
INFERENCE_FRAME_BYTES_MAX: Final = 64 << 20  # between a till and its worker
INFERENCE_MEMORY_MIB: Final = 1_024  # of the worker, all models together; Guess: ten times of what it was seen to take
INFERENCE_RESTART_MS_FIRST: Final = 200
INFERENCE_RESTART_MS_MAX: Final = 30_000
IMAGE_BYTES_MAX: Final = 8 << 20
IMAGE_PIXELS_MAX: Final = 50_000_000
RECOGNITION_CACHE_MAX: Final = 1_000  # this and the next as the original design has them
RECOGNITION_CACHE_MS: Final = 300_000
EXAMPLES_PER_CALL_MAX: Final = 8
EXAMPLES_PER_PRODUCT_MAX: Final = 64  # Guess: the newest count; more say nothing new
EXAMPLES_MAX: Final = 20_000
EXAMPLE_BYTES_MAX: Final = 8_192

assert MANIFEST_BYTES_MAX < BUNDLE_BYTES_MAX < INFERENCE_FRAME_BYTES_MAX
assert INFERENCE_BATCH_MAX * IMAGE_BYTES_MAX < INFERENCE_FRAME_BYTES_MAX
assert MODEL_ORDERS_MAX * (MODEL_ORDER_BYTES_MAX + 128) < UPLOAD_ANSWER_BYTES_MAX // 8
assert MODEL_PIECE_BYTES_MIN <= MODEL_PIECE_BYTES_MAX < MODEL_MESSAGE_BYTES_MAX < FRAME_BYTES_MAX
assert MODEL_ORDERS_MAX * (MODEL_ORDER_BYTES_MAX + 128) < MODEL_MESSAGE_BYTES_MAX
assert MODEL_CHUNK_BYTES_MAX < UPLOAD_ANSWER_BYTES_MAX
assert EXAMPLES_PER_CALL_MAX * EXAMPLE_BYTES_MAX < EVENT_BODY_BYTES_MAX
assert INFERENCE_DEADLINE_MS <= INFERENCE_DEADLINE_MS_MAX
assert INFERENCE_RESTART_MS_FIRST < INFERENCE_RESTART_MS_MAX
# Bar codes from a camera, and spoken commands (tillmesh.edge.scanning, tillmesh.edge.voice).
SCAN_FRAMES_MAX: Final = 16  # of one scan that are remembered
SCAN_CODES_MAX: Final = 16  # of one picture
SCANS_MAX: Final = 32  # Guess: cameras that scan at one till at the same time
VOICE_SECONDS_MAX: Final = 10  # a command takes one or two
VOICE_BYTES_MAX: Final = 4 << 20

assert VOICE_SECONDS_MAX * 48_000 * 8 < VOICE_BYTES_MAX  # two channels of 32 bits at the rate of most microphones

# Card terminals (tillmesh.terminal.card_desk).
CARD_ANSWER_BYTES_MAX: Final = 1 << 20  # a nexo answer with both receipts is about 10 KB
CARD_PAY_MS_MAX: Final = 150_000  # Adyen: a payment ends after 120 s; then it is asked for
CARD_ASK_MS_FIRST: Final = 1_000
CARD_ASK_MS_MAX: Final = 30_000
CARD_CALLS_MAX: Final = 4  # a payment, its cancelling and a question at the same time
CARD_PAYMENTS_SHOWN_MAX: Final = 200

# Bookkeeping by law (tillmesh.terminal.fiscal_desk).
SIGN_MS_MAX: Final = 1_500  # how long a paper waits for its signature; guess: devices take 0.2 to 1 s
SIGN_RETRY_MS: Final = 15_000  # while the device is out of order
SIGN_WAITING_MAX: Final = 100_000  # receipts of an outage of months
JOURNAL_EVENTS_MAX: Final = 300_000  # of one export
BOOKING_DAYS_MAX: Final = 100  # each receipt is read; a quarter of a year, as accountants take it
BOOK_STORES_MAX: Final = 50  # of whom head office makes books at once: it reads their whole logs

# Other devices that use a till's pages (tillmesh.terminal.office_door).
OFFICE_CODE_MS: Final = 120_000  # as long as a pairing of tills: security requirement S2
OFFICE_CODE_TRIES: Final = 3
OFFICE_DEVICES_MAX: Final = 100

# Suppliers (tillmesh.shop.suppliers). Guesses: what one supplier of a shop has, and half a year.
SUPPLIER_ARTICLES_MAX: Final = 2_000
SUPPLIER_LEAD_DAYS_MAX: Final = 180

# Scales and pole displays on serial lines.
TARE_G_MAX: Final = 5_000  # guess: nothing that goods are wrapped in weighs more
TARES_MAX: Final = 6  # keys beside each other
SCALE_READINGS_HELD: Final = 64  # readings that a page may still name
SCALE_HELD_MS: Final = 60_000  # guess: a weight that was shown a minute ago was not shown for this sale
SERIAL_CHUNK_BYTES_MAX: Final = 256  # what is taken off a line at once
