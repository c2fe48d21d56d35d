/* Reads the files of the index, and tells which articles hold a word: the other half of search.py. */
(function () {
  "use strict";
  window.openIndex = (edition, shards) => {
    const fetched = new Map();

    /* A file's value, null where there is none. */
    function get(path) {
      if (!fetched.has(path)) {
        const value = fetch(path + ".json?" + edition).then((reply) => {
          if (!reply.ok && reply.status != 404) throw new Error(reply.status);
          return reply.ok ? reply.json() : null;
        });
        value.catch(() => fetched.delete(path));
        fetched.set(path, value);
      }
      return fetched.get(path);
    }

    async function list(gram) {
      let hash = 2166136261;
      for (const sign of gram) hash = Math.imul(hash ^ sign.codePointAt(0), 16777619);
      const shard = await get("words/" + ((hash ^ (hash >>> 15)) & (shards - 1)).toString(16));
      return (shard && shard[gram]) || "";
    }

    /* Calls `each` with the number of every article in a list, and how prominently it holds the gram. */
    function decode(codes, each) {
      let article = 0, weight = 0, part = 0;
      for (let i = 0; i < codes.length; i++) {
        const code = codes.charCodeAt(i);
        if (code < 35) article = ++part * 1024;
        else if (code > 123) weight = code - 123;
        else if (code > 92) article += (code - 92) * 57;
        else {
          each((article += code - 35), weight);
          weight = 0;
        }
      }
    }

    /* How prominently each article holds the grams on average, -Infinity where it does not hold all. */
    async function prominence(looked) {
      const [kinds, ...lists] = await Promise.all([get("kinds"), ...looked.map(list)]);
      const held = new Uint8Array(kinds.length), sum = new Float32Array(kinds.length);
      for (const codes of lists) decode(codes, (a, weight) => (held[a]++, (sum[a] += weight)));
      return sum.map((weight, a) => (held[a] == lists.length ? weight / lists.length : -Infinity));
    }

    /* How much of the grams each holds; the rare ones say more. */
    async function likeness(looked) {
      const [kinds, ...lists] = await Promise.all([get("kinds"), ...looked.map(list)]);
      const sum = new Float32Array(kinds.length);
      for (const codes of lists) {
        let many = 0;
        decode(codes, () => many++);
        decode(codes, (a, weight) => (sum[a] += Math.log(1 + sum.length / many) * (1 + weight)));
      }
      return sum;
    }

    return { get, prominence, likeness };
  };
})();
