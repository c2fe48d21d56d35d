/* The service worker (https://www.w3.org/TR/service-workers/): pages seen before, and the emergency page, open without a
   network. The network comes first: what a phone keeps is for when that fails or takes too long, and says of when it is.
   Nothing that tells of an alert is ever kept, for a missing person's data must be able to leave: no page that is marked
   (base.html), none below alert/ or A/, no banner, no picture, no data. What is not a page is left to the browser.
   WORDS stands before this text; its language is the site's. */
"use strict";

const SCOPE = self.registration.scope;
/* A new number leaves behind whatever earlier versions kept. */
const STORE = "gengfu-1 " + SCOPE;
const EMERGENCY = SCOPE + "emergency/";
const NEVER = /^(alert|A)\//;
const MOST = 60; // pages
const PATIENCE = 3000; // ms, where there is a page to fall back on
const FRESH = 864e5; // ms, of the emergency page

self.addEventListener("install", function (event) {
  self.skipWaiting();
  event.waitUntil(Promise.all([keepEmergency(), keepOpenPages()]).catch(nothing));
});

self.addEventListener("activate", function (event) {
  event.waitUntil(Promise.all([leaveEarlierVersions(), preload(), self.clients.claim()]).catch(nothing));
});

self.addEventListener("fetch", function (event) {
  if (event.request.mode !== "navigate" || event.request.method !== "GET") return;
  const address = event.request.url.split(/[?#]/)[0];
  const fetched = Promise.resolve(event.preloadResponse).then(function (ready) {
    return ready || fetch(event.request);
  });
  event.waitUntil(fetched.then(function (answer) {
    return keep(address, answer);
  }).then(keepEmergency).catch(nothing));
  event.respondWith(answer(address, fetched));
});

async function answer(address, fetched) {
  const kept = await find(address);
  try {
    const inTime = await (kept ? Promise.race([fetched, patience()]) : fetched);
    if (inTime && !(kept && inTime.status >= 500)) return inTime;
  } catch (offline) {}
  return kept ? dated(kept) : emergency();
}

function patience() {
  return new Promise(function (give) {
    setTimeout(give, PATIENCE);
  });
}

/* A page as the network has it now takes the place of what was kept, or ends it. */
async function keep(address, answer) {
  const gone = answer.status === 404 || answer.status === 410;
  /* Before anything else is waited for, while the answer is whole; of a film that is opened by itself no second copy. */
  const text = answer.ok && /^text\/html/.test(answer.headers.get("content-type")) && (await answer.clone().text());
  if (!text && !gone) return;
  const store = await caches.open(STORE);
  await store.delete(address);
  if (gone || NEVER.test(address.slice(SCOPE.length))) return;
  if (!/<body data-home=(?![^>]*data-offline="no")/.test(text)) return;
  const page = text.replace(/<section [^>]*class="banner"[^]*?<\/section>/g, "");
  await store.put(address, html(page, new Date().toUTCString()));
  const pages = (await store.keys()).filter(function (page) {
    return page.url !== EMERGENCY;
  });
  await Promise.all(pages.slice(0, -MOST).map(function (oldest) {
    return store.delete(oldest);
  }));
}

async function keepEmergency() {
  const kept = await find(EMERGENCY);
  if (kept && Date.now() - Date.parse(kept.headers.get("date")) < FRESH) return;
  await keep(EMERGENCY, await fetch(EMERGENCY));
}

/* The page that brought this worker was there before it. */
async function keepOpenPages() {
  const open = await self.clients.matchAll({ includeUncontrolled: true, type: "window" });
  await Promise.all(open.map(async function (page) {
    const address = page.url.split(/[?#]/)[0];
    if (address.startsWith(SCOPE)) await keep(address, await fetch(address));
  }));
}

async function leaveEarlierVersions() {
  const names = await caches.keys();
  await Promise.all(names.map(function (name) {
    return name.startsWith("gengfu-") && name.endsWith(" " + SCOPE) && name !== STORE && caches.delete(name);
  }));
}

/* The network need not wait for the worker to wake up. */
async function preload() {
  if (self.registration.navigationPreload) await self.registration.navigationPreload.enable();
}

async function find(address) {
  try {
    return await (await caches.open(STORE)).match(address);
  } catch (refused) {}
}

async function dated(kept) {
  const date = new Date(kept.headers.get("date")).toLocaleString(WORDS.language, { dateStyle: "medium", timeStyle: "short" });
  return html(said(await kept.text(), WORDS.kept.replace("{date}", date)));
}

/* In the place of a page that was never seen: links start at the site, for the address stays that of the page. */
async function emergency() {
  const kept = await find(EMERGENCY);
  if (!kept) return Response.error();
  const text = (await kept.text()).replace(/(href|action|src|data-home)="\.\.\//g, '$1="' + SCOPE);
  return html(said(text, WORDS.missing + '<br><a class="press" href="">' + WORDS.again + "</a>"));
}

function said(text, words) {
  return text.replace(/<main\b[^>]*>/, function (main) {
    return main + '<p class="box warn">' + words + "</p>";
  });
}

function html(text, date) {
  const headers = { "content-type": "text/html; charset=utf-8" };
  if (date) headers.date = date;
  return new Response(text, { headers: headers });
}

function nothing() {}
