// Barcode numbers: check digits, and the ways one product's code may be written.

/**
 * Tell whether text is a GTIN-8, 12, 13 or 14 with a right check digit (GS1 General Specifications, 7.9).
 * @param {string} code
 */
export function isGtin(code) {
  if (!/^(\d{8}|\d{12,14})$/.test(code)) return false;
  let sum = 0;
  for (let place = 0; place < code.length - 1; place += 1) {
    const digit = code.charCodeAt(code.length - 2 - place) - 48;
    sum += place % 2 ? digit : digit * 3;
  }
  return (10 - (sum % 10)) % 10 === code.charCodeAt(code.length - 1) - 48;
}

/**
 * Strip what scanners put around a code: the AIM prefix, and the (01) of a GS1 element string.
 * @param {string} raw
 */
export function bareCode(raw) {
  const code = raw.replace(/^\][A-Za-z]\d/, "");
  const gs1 = /^01(\d{14})/.exec(code);
  return gs1 && isGtin(gs1[1]) && code.length > 14 ? gs1[1] : code;
}

/**
 * List the spellings under which a catalogue may hold this code: UPC-A is an EAN-13 with a leading 0, and so on.
 * @param {string} code
 */
export function spellings(code) {
  if (!/^\d{8,14}$/.test(code)) return [code];
  const short = code.replace(/^0+/, "");
  const all = [code];
  for (const length of [13, 12, 14, 8]) {
    if (short.length <= length) all.push(short.padStart(length, "0"));
  }
  return all;
}

/** @param {string} code */
export const isInStore = (code) => /^2\d{12}$/.test(code) && isGtin(code);
