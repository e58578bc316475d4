/** plausible reports whether a text can be a whole URL, so that half a name is not looked up. */
export function plausible(text: string): boolean {
  return /^https?:\/\/([^\s/?#@]*@)?([^\s/?#@]+\.[^\s/?#@.]{2,}|\[[^\s/]+\]|localhost|\d[\d.]*\d)(:\d+)?([/?#]\S*)?$/i.test(text);
}
