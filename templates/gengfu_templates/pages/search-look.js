/* Looks at what is found before it is shown: the pairs of a word may stand apart in an article. */
(function () {
  "use strict";
  const { fold } = window.words, ROUNDS = 3;

  /* The article, with its text where only that holds the words; null where it is not what was asked for. */
  async function look(index, number, words) {
    const article = await index.get("articles/" + number);
    if (!article || Date.parse(article.ends) <= Date.now()) return null;
    const holds = (text) => words.every((same) => same.some((word) => text.includes(word)));
    const title = fold(article.title).folded, head = title + " " + fold(article.summary).folded;
    if (holds(head)) return Object.assign({ exact: words.some((same) => same[0] == title) }, article);
    const text = (await index.get("texts/" + number)) || "";
    return holds(head + " " + fold(text).folded) ? Object.assign({ text }, article) : null;
  }

  /* `more(count)` gives the next articles. Where none of the likeliest holds the words, it goes on to what is like the
     question, with those not looked at first: whatever holds the words is in the list. */
  window.results = (index, found) => {
    let words = found.words, numbers = found.together, next = 0, gone = 0;

    async function batch(count) {
      const shown = [];
      for (let round = 0; round < ROUNDS && next < numbers.length && shown.length < count; round++) {
        const looked = numbers.slice(next, next + count - shown.length);
        const held = (await Promise.all(looked.map((number) => look(index, number, words)))).filter(Boolean);
        next += looked.length;
        gone += looked.length - held.length;
        shown.push(...held);
      }
      return shown.sort((a, b) => !!b.exact - !!a.exact);
    }

    return {
      async more(count) {
        const shown = await batch(count);
        if (shown.length || !words.length || next > count * ROUNDS) return shown;
        numbers = [...new Set([...numbers.slice(next), ...(await found.alike())])];
        words = [];
        next = gone = 0;
        return batch(count);
      },
      marked: () => (words.length ? [].concat(...words) : found.looked),
      alike: () => !words.length,
      left: () => next < numbers.length,
      count: () => numbers.length - gone,
      sure: () => found.sure || next >= numbers.length,
    };
  };
})();
