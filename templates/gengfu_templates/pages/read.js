/* Reads the page aloud where the phone itself has a voice for its language: others send what they say to whoever speaks.
   Sentence by sentence, since long ones are cut off. */
(function () {
  "use strict";
  var button = document.querySelector("[data-do=read]"), speech = window.speechSynthesis;
  if (!button || !speech || !window.SpeechSynthesisUtterance) return;
  var voice, reading = false, language = document.documentElement.lang, words = button.textContent;
  function look() {
    var voices = speech.getVoices().filter(function (one) {
      return one.localService && one.lang.slice(0, 2) === language.slice(0, 2);
    });
    voice = voices.filter(function (one) {
      return one.lang.replace("_", "-") === language;
    })[0] || voices[0];
    if (voice) button.hidden = false;
  }
  function show(now) {
    reading = now;
    button.textContent = now ? button.getAttribute("data-other") : words;
  }
  function stop() {
    speech.cancel();
    show(false);
  }
  function sentences() {
    var parts = [].slice.call(document.querySelector("article").children);
    var end = parts.indexOf(document.querySelector(".paper"));
    return parts.slice(0, end).map(function (part) {
      return part.matches(".aids,.contents") ? "" : part.innerText;
    }).join("\n").split(/[\n。！？；]+/).filter(function (text) {
      return /\S/.test(text);
    });
  }
  button.addEventListener("click", function () {
    if (reading) return stop();
    show(true);
    sentences().forEach(function (text, at, all) {
      var said = new SpeechSynthesisUtterance(text);
      said.voice = voice;
      said.lang = voice.lang;
      if (at === all.length - 1) said.onend = stop;
      speech.speak(said);
    });
  });
  window.addEventListener("pagehide", stop);
  speech.onvoiceschanged = look;
  look();
})();
