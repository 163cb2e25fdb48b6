"""Joining the page's modules into few scripts."""

import pytest

from tillmesh.adapters.web.pack import Joined, pack
from tillmesh.adapters.web.stripping import strip
from tillmesh.kernel.errors import Invalid


def joined(**files: str) -> Joined:
    held = {f"{name}.js": text for name, text in files.items()}
    return pack(held.__getitem__)


def packed(**files: str) -> str:
    [script] = joined(**files).texts.values()
    return script


def test_what_a_module_exports_is_there_for_those_that_import_it() -> None:
    script = packed(
        app='import { add } from "./sums.js";\nadd(1, 2);\n',
        sums="const zero = 0;\nexport const add = (a, b) => zero + a + b;\n",
    )
    assert script == "const {add}=(()=>{const zero=0;const add=(a,b)=>zero+a+b;\nreturn{add}})();\nadd(1,2);\n"


def test_a_module_needed_twice_is_there_once() -> None:
    script = packed(
        app='import { a } from "./a.js";\nimport { b } from "./b.js";\na(b);\n',
        a='import { b } from "./b.js";\nexport const a = () => b;\n',
        b="export const b = 1;\n",
    )
    assert script.count("const b=1") == 1
    assert script.index("const b=1") < script.index("const a=")


def test_a_page_that_is_loaded_when_first_opened_comes_along() -> None:
    script = packed(
        app='const open = async () => (await import("./pay.js")).PayPage;\nopen();\n',
        pay="export function PayPage() {}\n",
    )
    assert "import(" not in script
    assert "async()=>PayPage" in script


def test_a_line_break_stays_where_it_may_end_a_statement() -> None:
    script = packed(app="const a = {\n  b: 1,\n};\nconst c = () => a.b\nconst d = [\n  c(\n    a,\n  ),\n]\nd.at(0);\n")
    assert script == "const a={b:1,};const c=()=>a.b\nconst d=[c(a,),]\nd.at(0);\n"


def test_comments_go_and_strings_templates_and_patterns_stay() -> None:
    code = (
        'const a = "// no"; // yes\nconst b = `x /* ${/* gone */ a + " " } y`;\nconst c = /[/"`]\\/+/g; /** gone */\n'
    )
    assert strip(code) == 'const a="// no";\nconst b=`x /* ${a+" "} y`;\nconst c=/[/"`]\\/+/g;\n'


def test_spaces_that_matter_are_kept() -> None:
    assert strip("const x = a + +b;\nreturn typeof x\nnext();\n") == "const x=a+ +b;\nreturn typeof x\nnext();\n"
    assert strip("const v = `${w} ${h}`;\n") == "const v=`${w} ${h}`;\n"
    assert strip("html`<p>\n  <b>a b</b>\n  word\n  ${c}</p>`\n") == "html`<p><b>a b</b>\nword\n${c}</p>`\n"


def test_modules_that_import_each_other_are_refused() -> None:
    with pytest.raises(Invalid, match="import each other"):
        packed(
            app='import { a } from "./a.js";\n', a='import { b } from "./b.js";\n', b='import { a } from "./a.js";\n'
        )


def test_two_exports_of_one_name_are_refused() -> None:
    with pytest.raises(Invalid, match="both export x"):
        packed(
            app='import { x } from "./a.js";\nimport { y } from "./b.js";\n',
            a="export const x = 1;\n",
            b="export const x = 2;\nexport const y = 3;\n",
        )


def test_a_vendored_file_that_renames_its_names_is_wrapped() -> None:
    held = {
        "app.js": 'import { h } from "./vendor/lib.js";\nh();\n',
        "vendor/lib.js": "function a(){}export{a as h};\n",
    }
    assert "return{h:a}" in pack(held.__getitem__).texts["app.js"]


LATER = "const load = (turn) => import(`./back.js?turn=${turn}`);\nload(0);\n"


def test_a_module_loaded_later_begins_a_script_of_its_own_and_takes_the_rest_from_the_first() -> None:
    version, texts = joined(
        app='import { a } from "./a.js";\na();\n' + LATER,
        a="export const a = () => 1;\nexport const unasked = 2;\n",
        b='import { a } from "./a.js";\nexport const b = () => a();\n',
        back='import { a } from "./a.js";\nimport { b } from "./b.js";\nexport const PAGES = { a, b };\n',
    )
    first, second = texts["app.js"], texts["back.js"]
    assert f"import(`./back.js?v={version}&turn=${{turn}}`)" in first
    assert first.endswith("\nexport{a};\n")
    assert second.startswith('import{a}from"./app.js";\nconst {b}=(()=>{')
    assert second.endswith("const {PAGES}=(()=>{const PAGES={a,b};\nreturn{PAGES}})();\nexport{PAGES};\n")
    assert "const a=" not in second


def test_a_change_of_either_script_changes_the_version_of_both() -> None:
    def version_of(a: str, b: str) -> str:
        return joined(app=f"{LATER}const a = {a};\n", back=f"export const b = {b};\n").version

    assert len({version_of("1", "1"), version_of("2", "1"), version_of("1", "2")}) == 3
    assert version_of("1", "1") == version_of("1", "1")


def test_a_vendored_file_that_both_scripts_use_is_in_the_first_only() -> None:
    held = {
        "app.js": f'import {{ h }} from "./vendor/lib.js";\nh();\n{LATER}',
        "vendor/lib.js": "function a(){}export{a as h};\n",
        "back.js": 'import { h } from "./vendor/lib.js";\nimport { k } from "./vendor/more.js";\nconst c = h(k);\n',
        "vendor/more.js": 'import{h as x}from"./lib.js";const z=x;export{z as k};\n',
    }
    second = pack(held.__getitem__).texts["back.js"]
    assert second.startswith('import{$lib_js}from"./app.js";\nconst $more_js=')
    assert "const {h:x}=$lib_js;" in second
    assert pack(held.__getitem__).texts["app.js"].endswith("\nexport{$lib_js};\n")


def test_what_a_later_page_loads_when_first_needed_is_in_its_script_or_in_the_first() -> None:
    _, texts = joined(
        app=f'import {{ one }} from "./one.js";\none();\n{LATER}',
        one="export const one = () => 1;\n",
        two="export const two = () => 2;\n",
        back='export const c = async () => (await import("./one.js")).one() + (await import("./two.js")).two();\n',
    )
    assert texts["back.js"].startswith('import{one}from"./app.js";\nconst {two}=')
    assert "async()=>one()+two()" in texts["back.js"].replace(" ", "")


def test_two_exports_of_one_name_are_refused_across_scripts() -> None:
    with pytest.raises(Invalid, match="both export x"):
        joined(
            app=f'import {{ x }} from "./a.js";\nx();\n{LATER}',
            a="export const x = 1;\n",
            back="export const x = 2;\n",
        )


def test_a_module_that_is_imported_at_once_and_loaded_later_is_refused() -> None:
    with pytest.raises(Invalid, match=r"back\.js is loaded later, and imported at once"):
        joined(app=f'import {{ b }} from "./back.js";\nb();\n{LATER}', back="export const b = 1;\n")


def test_a_later_script_that_loads_a_further_one_is_refused() -> None:
    with pytest.raises(Invalid, match=r"back\.js loads more\.js later"):
        joined(
            app=LATER,
            back="export const more = (turn) => import(`./more.js?turn=${turn}`);\n",
            more="export const m = 1;\n",
        )


@pytest.mark.parametrize("call", ['import("./a.js")', "import(`./${name}.js`)", "import(name)"])
def test_a_load_that_cannot_be_joined_is_refused(call: str) -> None:
    with pytest.raises(Invalid, match="in a way that can't be joined"):
        joined(app=f"const load = (name) => {call};\nload(0);\n", a="export const a = 1;\n")
