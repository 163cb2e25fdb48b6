// An icon and a tint for each department: as the store set them, else guessed from the name's words.
import { departments } from "../state/catalogue.js";

/** @type {[RegExp, string, string][]} */
const GUESSES = [
  [/fruit|veg|produce|obst|salad/i, "apple", "green"], [/bak|bread|brot|pastr/i, "croissant", "amber"], [/dair|milk|egg|cheese/i, "milk", "sky"],
  [/meat|fish|poultry|butcher|deli/i, "beef", "red"], [/wine|beer|spirit|alcohol/i, "wine", "violet"], [/coffee|tea\b/i, "coffee", "brown"], [/drink|beverage|water|juice/i, "cup-soda", "cyan"],
  [/frozen|ice/i, "snowflake", "indigo"], [/snack|sweet|candy|choc|biscuit|confection/i, "cookie", "pink"], [/house|clean|laundry/i, "spray-can", "violet"],
  [/baby/i, "baby", "pink"], [/pet/i, "paw-print", "brown"], [/pharm|health|beauty|care/i, "pill", "teal"], [/flower|garden|plant/i, "flower-2", "green"], [/cloth|fashion|textile/i, "shirt", "indigo"],
  [/pantry|grocer|food|pasta|rice/i, "soup", "orange"], [/grain|cereal|breakfast/i, "wheat", "amber"], [/ready|lunch|sandwich/i, "sandwich", "amber"],
];
const COLOURS = ["teal", "indigo", "orange", "sky", "pink", "violet", "brown", "cyan"];

/** @typedef {{icon: string, colour: string}} Style */

/** @type {Map<string, Style>} */
const guessed = new Map();

/** @param {string} name @returns {Style} */
export function styleOf(name) {
  const set = departments.value.find((one) => one.name === name);
  if (set?.icon && set.colour) return set;
  let style = guessed.get(name);
  if (!style) {
    const guess = GUESSES.find(([words]) => words.test(name));
    const sum = [...name].reduce((total, letter) => total + letter.charCodeAt(0), 0);
    style = guess ? { icon: guess[1], colour: guess[2] } : { icon: "package", colour: name ? COLOURS[sum % COLOURS.length] : "slate" };
    guessed.set(name, style);
  }
  return style;
}
