// The whole catalogue, in columns: 97,000 rows must be searched and scanned without asking Python.
import { signal } from "../lib/ui.js";
import { send } from "../lib/http.js";
import { fold, indexOfNames, renamed, searchRows } from "../lib/search.js";
import { spellings } from "../lib/gtin.js";

/** Rows indexed between two chances for the browser to paint. */
const SLICE = 6000;

/** @typedef {{sku: string, name: string, price_minor: number, unit: string, tax_code: string, department: string, barcodes: string, favourite: boolean, active: boolean, parent?: string, options?: string[], image?: string}} Product */

/** Grows with every change, so that what was computed from the columns is computed again. */
export const version = signal(0);
export const ready = signal(false);
/** True once searches and scans can be answered here. */
export const indexed = signal(false);
export const failed = signal(false);
export const stockVersion = signal(0);
export const departments = signal(/** @type {{name: string, count: number, icon: string, colour: string}[]} */ ([]));

/** @type {{sku: string[], name: string[], price: number[], unit: string[], tax: string[], department: string[], barcodes: string[], favourite: number[], active: number[], tracked: number[]}} */
let columns = { sku: [], name: [], price: [], unit: [], tax: [], department: [], barcodes: [], favourite: [], active: [], tracked: [] };
/** All folded names in one string. */
let names = indexOfNames([]);
/** Names that changed since, by row; taken in when next searched. @type {Map<number, string>} */
let fresh = new Map();
/** Barcodes, without the one of a product that has no other and is called by it. @type {Map<string, number>} */
let byCode = new Map();
/** @type {Map<string, number>} */
let bySku = new Map();
/** @type {Map<string, string>} */
const stock = new Map();
/** @type {Map<string, number[]>} */
let listed = new Map();

/** The few that have variants or are one: the product it is a variant of, or "", and the options. @type {Map<string, {parent: string, options: string[]}>} */
let variants = new Map();

/** How products name their pictures, by sku. @type {Map<string, string>} */
let images = new Map();

/** News that came while the index is being built. @type {any[] | null} */
let held = null;

const breathe = () => new Promise((resolve) => setTimeout(resolve));

/** Fetch and index everything; the browser's HTTP cache answers by ETag when nothing changed. */
export async function loadCatalogue() {
  failed.value = false;
  const levels = send("GET", "/stock/levels").catch(() => null);
  const groups = send("GET", "/departments").catch(() => null);
  try {
    const answer = await send("GET", "/catalogue", undefined, { timeout: 60000 });
    const list = await groups;
    departments.value = Array.isArray(list) ? list : (list?.departments ?? []);
    await index(answer);
    takeLevels((await levels)?.levels ?? {});
  } catch (error) {
    failed.value = !ready.value;
    throw error;
  }
}

/**
 * Take the columns and build what searches and scans look into. The first time the tiles are shown before that is done:
 * until then the till program resolves what is scanned.
 * @param {any} answer
 */
async function index(answer) {
  const from = answer.columns;
  const count = from.sku.length;
  const all = (/** @type {any} */ column, /** @type {any} */ otherwise) => column ?? new Array(count).fill(otherwise);
  const next = {
    sku: from.sku, name: from.name, price: from.price_minor, unit: all(from.unit, "piece"), tax: all(from.tax_code, ""),
    department: all(from.department, ""), barcodes: all(from.barcodes, ""), favourite: all(from.favourite, 0), active: all(from.active, 1), tracked: all(from.track_stock, 1),
  };
  variants = new Map(Object.entries(answer.variants ?? {}).map(([sku, [parent, options]]) => [sku, { parent, options }]));
  images = new Map(Object.entries(answer.images ?? {}));
  held = [];
  if (!ready.value) {
    columns = next;
    ready.value = true;
    changed();
    await breathe();
  }
  const folds = new Array(count);
  const codes = new Map();
  const skus = new Map();
  const once = shared();
  for (let row = 0; row < count; row += 1) {
    if (row % SLICE === SLICE - 1) await breathe();
    const sku = next.sku[row];
    folds[row] = fold(next.name[row]);
    skus.set(sku, row);
    if (next.barcodes[row] === sku) next.barcodes[row] = sku;
    else if (next.active[row]) addCodes(codes, next.barcodes[row], row);
    for (const column of [next.department, next.tax, next.unit]) column[row] = once(column[row]);
  }
  names = indexOfNames(folds);
  fresh = new Map();
  columns = next;
  byCode = codes;
  bySku = skus;
  indexed.value = true;
  changed();
  const news = held;
  held = null;
  takeProducts(news);
}

/** Let equal texts be one text: a catalogue repeats its departments thousands of times. */
function shared() {
  /** @type {Map<string, string>} */
  const texts = new Map();
  return (/** @type {string} */ text) => {
    const known = texts.get(text);
    if (known === undefined) texts.set(text, text);
    return known ?? text;
  };
}

/** @param {Map<string, number>} codes @param {string} barcodes @param {number} row */
function addCodes(codes, barcodes, row) {
  if (!barcodes.includes(" ")) {
    if (barcodes) codes.set(barcodes, row);
    return;
  }
  for (const code of barcodes.split(" ")) codes.set(code, row);
}

function changed() {
  listed = new Map();
  version.value += 1;
}

/** Take changed products from the live feed. @param {any[]} products */
export function takeProducts(products) {
  // Told while the index is being built: taken when it is.
  if (held) return void held.push(...products);
  if (!products.length) return;
  for (const product of products) {
    let row = bySku.get(product.sku);
    if (row === undefined) {
      row = columns.sku.length;
      bySku.set(product.sku, row);
      columns.sku.push(product.sku);
    } else for (const code of columns.barcodes[row].split(" ")) if (byCode.get(code) === row) byCode.delete(code);
    const barcodes = Array.isArray(product.barcodes) ? product.barcodes.join(" ") : (product.barcodes ?? "");
    columns.name[row] = product.name;
    columns.price[row] = product.price_now_minor ?? product.price_minor;
    columns.unit[row] = product.unit ?? "piece";
    columns.tax[row] = product.tax_code ?? "";
    columns.department[row] = product.department ?? "";
    columns.barcodes[row] = barcodes;
    columns.favourite[row] = product.favourite ? 1 : 0;
    columns.active[row] = product.active === false ? 0 : 1;
    columns.tracked[row] = product.track_stock === false ? 0 : 1;
    if (product.options?.length) variants.set(product.sku, { parent: product.parent ?? "", options: product.options });
    else variants.delete(product.sku);
    if (product.image) images.set(product.sku, product.image);
    else images.delete(product.sku);
    fresh.set(row, fold(product.name));
    if (product.active !== false && barcodes !== product.sku) addCodes(byCode, barcodes, row);
    if (product.stock !== undefined && product.stock !== null) stock.set(product.sku, String(product.stock));
  }
  changed();
}

/** @param {Record<string, string>} levels by sku */
export function takeLevels(levels) {
  for (const [sku, level] of Object.entries(levels)) stock.set(sku, String(level));
  stockVersion.value += 1;
}

/** @param {string} sku */
export function stockOf(sku) {
  const row = bySku.get(sku);
  return row !== undefined && columns.tracked[row] ? stock.get(sku) : undefined;
}

export const count = () => columns.sku.length;

/** @param {number} row @returns {Product} */
export function product(row) {
  return {
    sku: columns.sku[row], name: columns.name[row], price_minor: columns.price[row], unit: columns.unit[row], tax_code: columns.tax[row],
    department: columns.department[row], barcodes: columns.barcodes[row], favourite: Boolean(columns.favourite[row]), active: Boolean(columns.active[row]),
    image: images.get(columns.sku[row]), ...variants.get(columns.sku[row]),
  };
}

/** @param {string} sku @returns {Product | null} */
export function productOf(sku) {
  const row = bySku.get(sku) ?? (indexed.value ? -1 : columns.sku.indexOf(sku));
  return row < 0 ? null : product(row);
}

/** Find an active product that is called by its only barcode. @param {string} code */
function rowOfOwn(code) {
  const row = bySku.get(code);
  return row !== undefined && columns.barcodes[row] === code && columns.active[row] ? row : undefined;
}

/** Find the row of a scanned code in any of its spellings, or by sku. @param {string} code @returns {number} -1 if unknown */
export function rowOfCode(code) {
  for (const spelling of spellings(code)) {
    const row = byCode.get(spelling) ?? rowOfOwn(spelling);
    if (row !== undefined) return row;
  }
  const row = bySku.get(code);
  return row !== undefined && columns.active[row] ? row : -1;
}

/** The quick keys of this till, in the order of their numbers. */
export const quickKeys = signal(/** @type {{sku: string, colour: string}[]} */ ([]));

/** @param {{sku: string, colour: string}[]} keys */
export function setQuickKeys(keys) {
  if (JSON.stringify(keys) === JSON.stringify(quickKeys.peek())) return;
  quickKeys.value = keys;
  changed();
}

/** The name under which favourites are arranged among the departments. */
export const FAVOURITES = "*";

/** How this till arranges the departments; those that are not in it come after. */
export const shelf = signal(/** @type {{name: string, shown: boolean}[]} */ ([]));

/** @param {{name: string, shown: boolean}[]} arranged */
export function setShelf(arranged) {
  if (JSON.stringify(arranged) === JSON.stringify(shelf.peek())) return;
  shelf.value = arranged;
  changed();
}

/** All departments and the favourites, as they are arranged: favourites have no place of their own until they are given one. */
export function shelves() {
  const names = departments.value.map((one) => one.name);
  const known = new Set([...names, FAVOURITES]);
  const set = shelf.value.filter((one) => known.has(one.name));
  const rest = [...names, FAVOURITES].filter((name) => !set.some((one) => one.name === name));
  return [...set, ...rest.map((name) => ({ name, shown: name !== FAVOURITES }))];
}

/** @param {number} row */
const isActive = (row) => Boolean(columns.active[row]);

/** Listed by itself: a variant stands behind its product. @param {number} row */
const isShown = (row) => isActive(row) && !variants.get(columns.sku[row])?.parent;

/** The variants of a product that are for sale. @param {string} sku @returns {Product[]} */
export const variantsOf = (sku) =>
  [...variants].filter(([own, { parent }]) => parent === sku && isActive(bySku.get(own) ?? -1)).map(([own]) => /** @type {Product} */ (productOf(own)));

/** Whether only its variants are sold. @param {Product} item */
export const comesInVariants = (item) => Boolean(item.options?.length && !item.parent);

/**
 * List the rows of a department; "" are all: quick keys first, then favourites, then the rest. A page of the sale leaves out what is hidden on it.
 * @param {string} department @param {boolean} [selling]
 */
export function rowsOf(department, selling = false) {
  const key = `${selling ? "+" : "-"}${department}`;
  let rows = listed.get(key);
  if (rows) return rows;
  rows = [];
  if (department) {
    const fits = department === FAVOURITES ? columns.favourite : columns.department.map((name) => Number(name === department));
    for (let row = 0; row < columns.sku.length; row += 1) if (fits[row] && isShown(row)) rows.push(row);
  } else {
    /** @type {number[]} */
    const rest = [];
    const hidden = new Set(selling ? shelf.peek().filter((one) => !one.shown).map((one) => one.name) : []);
    const quick = quickKeys.peek().map((one) => bySku.get(one.sku) ?? columns.sku.indexOf(one.sku)).filter((row) => row >= 0 && isActive(row));
    const first = new Set(quick);
    for (let row = 0; row < columns.sku.length; row += 1)
      if (isShown(row) && !first.has(row) && !hidden.has(columns.department[row])) (columns.favourite[row] ? rows : rest).push(row);
    rows = [...quick, ...rows, ...rest];
  }
  listed.set(key, rows);
  return rows;
}

/** @param {string} text @param {number} [limit] @param {(row: number) => boolean} [visible] */
export function search(text, limit = 400, visible = isActive) {
  const exact = rowOfCode(text.trim());
  if (fresh.size) {
    names = renamed(names, fresh);
    fresh = new Map();
  }
  const found = searchRows(names, text, limit, visible);
  return exact >= 0 ? [exact, ...found.filter((row) => row !== exact)] : found;
}
