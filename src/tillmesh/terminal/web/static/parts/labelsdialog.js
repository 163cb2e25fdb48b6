// Labels with barcodes, as a PDF for sheets from the shop around the corner or for a label printer.
import { html, useState } from "../lib/ui.js";
import { t } from "../lib/i18n.js";
import { Choice, Field } from "./fields.js";
import { FormDialog } from "./formdialog.js";

const SHEETS = ["a4-24", "a4-65", "a4-40", "roll-57x32"];

/** @param {{skus: string[], close: () => void}} props */
export function LabelsDialog({ skus, close }) {
  const [sheet, setSheet] = useState(SHEETS[0]);
  const [copies, setCopies] = useState("1");
  const [skip, setSkip] = useState("0");
  const ok = /^\d{1,2}$/.test(copies) && Number(copies) > 0 && /^\d{1,2}$/.test(skip);
  const submit = () => {
    const link = document.createElement("a");
    link.href = `/api/v1/labels?${new URLSearchParams({ sheet, copies, skip, skus: skus.join(" ") })}`;
    link.download = "labels.pdf";
    link.click();
    close();
  };
  return html`<${FormDialog} title=${t("labels.title", { n: skus.length })} note=${t("labels.note")} close=${close} ok=${ok} submit=${submit} label=${t("labels.make")}>
    <${Choice} label=${t("labels.sheet")} value=${sheet} onChange=${setSheet} options=${SHEETS.map((one) => [one, t(`labels.sheet.${one}`)])} />
    <div class="two"><${Field} label=${t("labels.copies")} mode="numeric" max=${2} value=${copies} onChange=${setCopies} />
      <${Field} label=${t("labels.skip")} mode="numeric" max=${2} value=${skip} onChange=${setSkip} hint=${t("labels.skip.hint")} /></div>
  <//>`;
}
