"""Joining the page's modules into one script."""

import pytest

from tillmesh.adapters.web.pack import pack, strip
from tillmesh.kernel.errors import Invalid


def packed(**files: str) -> str:
    held = {f"{name}.js": text for name, text in files.items()}
    return pack(held.__getitem__)


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
    assert "return{h:a}" in pack(held.__getitem__)
