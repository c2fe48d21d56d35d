/* Looks at what is found before it is shown: the pairs of a word may stand apart in an article. */
(function () {
  "use strict";
  const { fold } = window.words, ROUNDS = 3, FEW = 4;

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

  /* `more(count)` gives the next articles. Where few of the likeliest hold the words, what is like the question follows,
     those not looked at first: whatever holds the words is in the list. */
  window.results = (index, found) => {
    let words = found.words, numbers = found.together, next = 0, gone = 0, held = null;
    const seen = new Set();

    async function batch(count) {
      const shown = [];
      for (let round = 0; round < ROUNDS && next < numbers.length && shown.length < count; round++) {
        const looked = numbers.slice(next, next + count - shown.length);
        const articles = await Promise.all(looked.map((number) => look(index, number, words)));
        articles.forEach((article, i) => (article ? seen.add(looked[i]) && shown.push(article) : gone++));
        next += looked.length;
      }
      return shown.sort((a, b) => !!b.exact - !!a.exact);
    }

    return {
      async more(count) {
        const shown = await batch(count);
        if (held !== null || seen.size >= FEW || (next < numbers.length && seen.size)) return shown;
        const rest = new Set([...numbers.slice(next), ...(await found.alike())]);
        numbers = [...rest].filter((number) => !seen.has(number));
        (held = seen.size), (words = []), (next = gone = 0);
        return [...shown, ...(await batch(count - shown.length))];
      },
      marked: () => [].concat(...(held === null ? found.words : [...found.words, found.looked])),
      left: () => next < numbers.length,
      /* How many hold the words, how many are like the question, and whether all that is sure. */
      told() {
        const count = numbers.length - gone;
        return held === null ? [count, 0, found.sure || !this.left()] : [held, count, true];
      },
    };
  };
})();
