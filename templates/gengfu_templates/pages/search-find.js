/* From a query to the numbers of articles, the best first. */
(function () {
  "use strict";
  const { fold, grams, variants } = window.words, KINDS = { s: 0.2, f: 0.2, t: 0.1, v: 0.1, a: 0.1 };
  const ASKING = /[的了吗呢么怎什哪]|^[是有在我要多少里如何能不可以]+$/;

  /* One sign alone says little beside longer words. */
  function split(query) {
    const words = query.split(/\s+/).map((word) => fold(word).folded).filter(Boolean);
    const longer = words.filter((word) => Array.from(word).length > 1);
    return longer.length ? longer : words;
  }

  /* `together` are the articles that hold every word, or of the kind and place all; `alike`, for whole questions, those that hold what is rare in
     them. Both by worth, then kind, then age. */
  window.find = async (index, query, synonyms, kind, area) => {
    const words = split(query).map((word) => variants(word, synonyms)), all = [].concat(...words).map(grams);
    const looked = [...new Set([].concat(...all))], local = area ? ["area:" + area] : [];
    const [kinds, near, ...lists] = await Promise.all([index.get("kinds"), ...[local, ...all].map(index.prominence)]);

    function sorted(worth) {
      const rank = worth.map((w, a) => w + (KINDS[kinds[a]] || 0) + a / kinds.length / 11);
      const fits = (a) => rank[a] > -9 && (!kind || kinds[a] == kind[0]) && (!area || near[a] >= 0);
      return [...rank.keys()].filter(fits).sort((a, b) => rank[b] - rank[a]);
    }

    /* Of what means the same, the best; all that is asked for, together. */
    function summed(lists, less) {
      const worth = new Float32Array(kinds.length);
      for (const same of words) {
        const [best, ...others] = same.map(() => lists.shift());
        for (const other of others) other.forEach((w, a) => w - less > best[a] && (best[a] = w - less));
        best.forEach((w, a) => (worth[a] += w));
      }
      return worth;
    }

    async function alike() {
      const rare = all.map((looked) => index.likeness(looked.filter((gram) => !ASKING.test(gram))));
      const worth = summed(await Promise.all(rare), 0), most = worth.reduce((a, b) => Math.max(a, b), 0);
      return sorted(worth.map((w) => (w && w >= most / 2 ? w : -Infinity)));
    }

    const worth = summed(lists, 0.5).map((w) => Math.round((w / (words.length || 1)) * 2));
    const together = words.length || kind || area ? sorted(worth) : [];
    return { words, looked, together, alike, sure: all.every((one) => one.length == 1) };
  };
})();
