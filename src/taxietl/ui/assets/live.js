// Times in the reader's zone, seconds that tick, and pages that follow what happens.
"use strict";

const forms = {
  second: { month: "short", day: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" },
  clock: { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hourCycle: "h23" },
};
const formats = Object.fromEntries(
  Object.entries(forms).map(([name, form]) => [name, new Intl.DateTimeFormat("en-US", form)]),
);

function localize(root) {
  for (const each of root.querySelectorAll("time[datetime]")) {
    each.textContent = formats[each.dataset.form].format(new Date(each.getAttribute("datetime")));
  }
  const zone = root.querySelector("#zone");
  if (zone) zone.textContent = Intl.DateTimeFormat().resolvedOptions().timeZone;
}

function duration(seconds) {
  if (seconds < 9.995) return `${seconds.toFixed(2)} s`;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const two = (number) => String(number).padStart(2, "0");
  if (minutes < 60) return `${minutes} min ${two(whole % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

function tick(root) {
  for (const each of root.querySelectorAll("[data-since]")) {
    each.textContent = duration(Math.max(0, (Date.now() - new Date(each.dataset.since)) / 1000));
  }
}

// Make one element like another, touching only what differs: focus, selection and what the
// reader has opened stay as they are.
function follow(old, fresh) {
  if (old.isEqualNode(fresh)) return;
  if (old.nodeType !== fresh.nodeType || old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.nodeValue = fresh.nodeValue;
    return;
  }
  for (const { name } of [...old.attributes]) {
    if (name !== "open" && !fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  for (const { name, value } of fresh.attributes) {
    if (name !== "open" && old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
  const kept = new Map([...old.children].filter((each) => each.id).map((each) => [each.id, each]));
  let place = old.firstChild;
  for (const each of [...fresh.childNodes]) {
    const known = each.id ? kept.get(each.id) : undefined;
    if (known) {
      if (known === place) place = place.nextSibling;
      else old.insertBefore(known, place);
      follow(known, each);
    } else if (place && !place.id && !each.id) {
      const next = place.nextSibling;
      follow(place, each);
      place = next;
    } else {
      old.insertBefore(each, place);
    }
  }
  while (place) {
    const next = place.nextSibling;
    place.remove();
    place = next;
  }
}

async function refresh() {
  const answer = await fetch(location.href, { headers: { accept: "text/html" }, redirect: "error" });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  localize(page);
  document.body.dataset.stamp = page.body.dataset.stamp;
  for (const old of document.querySelectorAll("[data-live]")) {
    const fresh = page.getElementById(old.id);
    if (fresh) follow(old, fresh);
  }
}

let events = null;
let busy = false;
let again = false;

async function changed() {
  if (busy) {
    again = true;
    return;
  }
  busy = true;
  try {
    do {
      again = false;
      await refresh();
    } while (again);
  } catch {
    say(false);
  } finally {
    busy = false;
  }
}

function say(isLive) {
  const place = document.getElementById("liveness");
  if (!place) return;
  place.hidden = false;
  place.dataset.state = isLive ? "on" : "off";
  const text = isLive ? "live" : "not live: the dashboard does not answer";
  if (place.textContent !== text) place.textContent = text;
}

function listen() {
  if (events || !document.querySelector("[data-live]")) return;
  // What has happened since this page was made is told at once.
  events = new EventSource(`/live?since=${encodeURIComponent(document.body.dataset.stamp)}`);
  let wasLost = false;
  events.addEventListener("open", () => {
    say(true);
    if (wasLost) changed();
    wasLost = false;
  });
  events.addEventListener("changed", changed);
  events.addEventListener("error", () => {
    wasLost = true;
    say(false);
  });
}

function leave() {
  events?.close();
  events = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) leave();
  else listen();
});
addEventListener("pagehide", leave);
addEventListener("pageshow", listen);

// An address names what was asked for, and nothing else.
document.addEventListener("submit", (event) => {
  if (event.target.method !== "get") return;
  for (const each of event.target.elements) if (each.name && !each.value) each.disabled = true;
});

localize(document);
setInterval(() => tick(document), 1000);
