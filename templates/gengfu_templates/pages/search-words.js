/* What a text and a word are made of: the other half of search.py, which says why. And words marked in a text. */
(function () {
  "use strict";
  const COUNTS = /[\p{L}\p{N}]/u, THREE = /^[0-9a-z]{3}$/, LONG = 140, BEFORE = 24;

  /* The text as it is searched, and where in the text each unit of that begins and ends. */
  function fold(text) {
    const from = [], to = [];
    let folded = "", here = 0;
    for (const sign of text.normalize("NFC")) {
      for (const plain of sign.normalize("NFKC").toLowerCase()) if (COUNTS.test(plain)) folded += plain;
      while (from.length < folded.length) from.push(here), to.push(here + sign.length);
      here += sign.length;
    }
    return { folded, from, to };
  }

  /* What to look up for a word: of three letters or digits the three, which are rarer than the pairs in them. */
  function grams(word) {
    const signs = Array.from(word), found = new Set();
    for (let i = 0; i + 1 < signs.length; i++) {
      const three = signs.slice(i, i + 3).join(""), before = signs.slice(Math.max(0, i - 1), i + 2).join("");
      if (THREE.test(three)) found.add(three);
      else if (!THREE.test(before)) found.add(signs[i] + signs[i + 1]);
    }
    return found.size ? [...found] : [word];
  }

  /* The word itself, then what means the same. */
  function variants(word, synonyms) {
    const all = [word];
    for (const same of synonyms)
      for (const text of [...all]) {
        const known = same.find((one) => text.includes(one));
        for (const one of known ? same : []) if (!text.includes(one)) all.push(text.split(known).join(one));
      }
    return all.slice(0, 6);
  }

  /* Puts a text into an element with the words marked; of a long text the part around the first of them. */
  function mark(element, text, words) {
    const { folded, from, to } = fold(text), marked = new Uint8Array(text.length);
    for (const word of words)
      for (let i = folded.indexOf(word); i >= 0; i = folded.indexOf(word, i + 1))
        marked.fill(1, from[i], to[i + word.length - 1]);
    const first = text.length > LONG ? Math.max(0, marked.indexOf(1) - BEFORE) : 0;
    const last = Math.min(text.length, first + LONG);
    element.append(first ? "…" : "");
    for (let here = first, end; here < last; here = end) {
      for (end = here; end < last && marked[end] == marked[here]; ) end++;
      const part = marked[here] ? document.createElement("mark") : element;
      part.append(text.slice(here, end));
      if (part != element) element.append(part);
    }
    element.append(last < text.length ? "…" : "");
  }

  window.words = { fold, grams, variants, mark };
})();
