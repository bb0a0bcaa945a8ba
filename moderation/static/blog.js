/* The form and the comments of the demo blog, for browsers with JavaScript; without it the page works too.
   Whatever a reader wrote reaches the page as textContent only. */
"use strict";

(() => {
  const byId = (id) => document.getElementById(id);
  const form = byId("comment-form");
  if (!form) return;
  const field = form.elements;
  const button = form.querySelector("button");
  const LONGEST = Number(form.dataset.longest);
  // Seconds between two looks at a comment that is not decided yet; then the reader is asked to look again.
  const PAUSES = [1, 1, 2, 3, 5, 8, 13, 20, 30, 30];
  const SEND_SECONDS = 20;
  const FIELDS = { "/author/name": "name", "/author/email": "email", "/author/url": "url", "/body": "body" };
  const DRAFT = `greenroom:${field.thread_id.value}:draft`;
  const OWN = `greenroom:${field.thread_id.value}:own`;

  // ---- what this tab remembers; a browser may forbid it, and then nothing is remembered ----
  function recall(key, otherwise) {
    try {
      return JSON.parse(sessionStorage.getItem(key)) ?? otherwise;
    } catch {
      return otherwise;
    }
  }
  function remember(key, value) {
    try {
      if (value === null) sessionStorage.removeItem(key);
      else sessionStorage.setItem(key, JSON.stringify(value));
    } catch { /* full or forbidden */ }
  }
  const ownComments = () => recall(OWN, []);
  const isOwn = (id) => ownComments().some((own) => own.id === id);
  function rememberOwn(own) {
    remember(OWN, [...ownComments().filter((other) => other.id !== own.id), own].slice(-10));
  }
  const forgetOwn = (id) => remember(OWN, ownComments().filter((own) => own.id !== id));

  // ---- fates ----
  function fateBox(status, reason) {
    const shapes = [...byId("fates").content.children];
    const found = (key) => shapes.find((shape) => shape.dataset.fate === key);
    return (found(`${status}:${reason}`) ?? found(status)).cloneNode(true);
  }
  function withText(box, text) {
    const quote = document.createElement("blockquote");
    Object.assign(quote, { className: "fate-body", dir: "auto", textContent: text });
    box.append(quote);
    return box;
  }
  function withLink(box, words, act, href = "#comments") {
    const link = document.createElement("a");
    Object.assign(link, { className: "fate-link", textContent: words, href });
    if (act) link.addEventListener("click", (event) => { event.preventDefault(); act(); });
    box.children[1].append(" ", link);
    return box;
  }
  function tell(box) {
    byId("fate").replaceChildren(box);
  }
  function failure(title, text) {
    const box = fateBox("rejected");
    box.className = "fate fate-failed";
    box.dataset.fate = "failed";
    box.children[0].textContent = title;
    box.children[1].textContent = text;
    return box;
  }

  // ---- errors beside the fields ----
  function clearErrors() {
    form.querySelectorAll(".error").forEach((error) => error.remove());
    form.querySelectorAll("[aria-invalid]").forEach((input) => {
      input.removeAttribute("aria-invalid");
      describe(input, false);
    });
  }
  function describe(input, wrong) {
    const ids = [input.id === "body" && "count", wrong && `${input.id}-error`].filter(Boolean).join(" ");
    if (ids) input.setAttribute("aria-describedby", ids);
    else input.removeAttribute("aria-describedby");
  }
  function markWrong(input, words) {
    const error = document.createElement("span");
    Object.assign(error, { className: "error", id: `${input.id}-error`, textContent: words });
    input.after(error);
    input.setAttribute("aria-invalid", "true");
    describe(input, true);
  }
  function wrongFields() {
    return Object.values(FIELDS).map(byId).flatMap((input) => {
      if (input.required && !input.value.trim()) return [[input, input.dataset.missing]];
      return input.validity.typeMismatch ? [[input, input.dataset.mismatch]] : [];
    });
  }
  function showWrong(wrong) {
    wrong.forEach(([input, words]) => markWrong(input, words));
    wrong[0][0].focus();
  }

  // ---- the form ----
  const length = () => [...field.body.value.trim()].length; // characters as the service counts them
  function count() {
    const now = length();
    byId("count").textContent = `${now.toLocaleString("en")} of ${LONGEST.toLocaleString("en")} characters`;
    byId("count").classList.toggle("over", now > LONGEST);
  }
  function payload() {
    const author = { name: field.author_name.value };
    if (field.author_email.value) author.email = field.author_email.value;
    if (field.author_url.value) author.url = field.author_url.value;
    const thread = { id: field.thread_id.value, url: field.thread_url.value, title: field.thread_title.value };
    const comment = { thread, author, body: field.body.value };
    if (field.parent_id.value) comment.parent_id = field.parent_id.value;
    if (field.honeypot.value) comment.honeypot = field.honeypot.value;
    return comment;
  }
  // randomUUID exists only where the page came over HTTPS or from this machine.
  const randomKey = () => crypto.randomUUID?.() ?? crypto.getRandomValues(new Uint32Array(4)).join("-");
  function idempotencyKey(body) {
    // The same text sent again is the same request: it must not become a second comment.
    const draft = recall(DRAFT, {});
    const key = draft.sent === body ? draft.key : randomKey();
    keepDraft({ sent: body, key });
    return key;
  }
  function keepDraft(more = {}) {
    const values = { body: field.body.value, name: field.author_name.value, parent: field.parent_id.value };
    remember(DRAFT, { ...recall(DRAFT, {}), ...values, ...more });
  }
  function restoreDraft() {
    const draft = recall(DRAFT, {});
    if (!field.body.value) field.body.value = draft.body ?? "";
    if (!field.author_name.value) field.author_name.value = draft.name ?? "";
    const parent = draft.parent && document.querySelector(`[data-reply="${CSS.escape(draft.parent)}"]`);
    if (parent && !field.parent_id.value) answer(parent, false);
  }
  function busy(words) {
    button.disabled = words !== null;
    button.textContent = words ?? "Send comment";
  }

  async function submit(event) {
    event.preventDefault();
    if (button.disabled) return;
    clearErrors();
    const wrong = wrongFields();
    if (wrong.length) return showWrong(wrong);
    busy("Sending…");
    const sent = payload();
    const taken = await send(JSON.stringify(sent));
    busy(null);
    if (taken.problem) return refused(taken);
    remember(DRAFT, null);
    field.body.value = "";
    answerNothing();
    count();
    rememberOwn({ id: taken.id, receipt: taken.receipt, url: sent.author.url });
    await follow(taken.id, taken, tell);
    byId("fate").focus({ preventScroll: true });
    byId("fate").scrollIntoView({ block: "nearest" });
  }
  async function send(body) {
    const headers = {
      "Content-Type": "application/json",
      "X-Site-Key": field.site_key.value,
      "Idempotency-Key": idempotencyKey(body),
      Prefer: "wait=5",
    };
    try {
      const signal = AbortSignal.timeout(SEND_SECONDS * 1000);
      const response = await fetch(form.action, { method: "POST", headers, body, signal });
      const answer = await response.json();
      return response.ok ? answer : { problem: answer, status: response.status };
    } catch {
      return { problem: {}, status: 0 };
    }
  }
  function refused({ problem, status }) {
    const errors = problem.errors ?? [];
    const wrong = errors.filter((e) => FIELDS[e.pointer]).map((e) => [byId(FIELDS[e.pointer]), e.detail]);
    if (wrong.length) return showWrong(wrong);
    keepDraft();
    if (status === 0 || status >= 500) {
      button.textContent = "Try again";
      tell(failure("Your comment could not be sent", "Your text is kept here. Try again in a moment."));
    } else {
      const words = [problem.title, problem.detail].filter(Boolean).join(": ");
      tell(failure("Your comment was not taken", `${words || "The service refused it"}. Your text is kept here.`));
    }
    button.focus();
  }

  // ---- following one's own comment ----
  const wait = (seconds) => new Promise((done) => { setTimeout(done, seconds * 1000); });
  const ownOf = (id) => ownComments().find((own) => own.id === id);

  /** Show the fate, and look again while the comment is pending. */
  async function follow(id, known, show) {
    if (known.status === "pending") show(fateBox("pending"));
    else return settle(id, known, show);
    // Not awaited: the reader goes on while this looks.
    poll(id, show);
  }
  async function poll(id, show) {
    for (const pause of PAUSES) {
      await wait(pause);
      const view = await look(id);
      if (view && view.status !== "pending") return settle(id, view, show);
    }
    show(withLink(fateBox("pending"), "Look again", () => poll(id, show)));
  }
  /** What became of a comment; null when it cannot be told now. */
  async function look(id) {
    try {
      const { receipt } = ownOf(id);
      const response = await fetch(`${form.action}/${encodeURIComponent(id)}?receipt=${encodeURIComponent(receipt)}`);
      if (response.status === 404) forgetOwn(id);
      return response.ok ? await response.json() : null;
    } catch {
      return null;
    }
  }
  async function settle(id, known, show) {
    const box = fateBox(known.status, known.reason);
    if (known.status === "removed") forgetOwn(id);
    const view = known.body === undefined && known.status !== "removed" ? await look(id) : known;
    if (known.status === "approved" && view) {
      if (!byId(`comment-${id}`)) insert(view);
      markOwn(byId(`comment-${id}`));
      withLink(box, "Go to it", null, `#comment-${id}`);
    } else if (view && known.status !== "removed") {
      withText(box, view.body);
    }
    show(box);
  }

  // ---- the list ----
  function insert(view) {
    const element = byId("comment-shape").content.firstElementChild.cloneNode(true);
    const comment = element.querySelector(".comment");
    Object.assign(comment.dataset, { comment: view.id, parent: view.parent_id ?? "" });
    comment.id = `comment-${view.id}`;
    comment.classList.add("arrived");
    comment.querySelector(".comment-body").textContent = view.body;
    fillHead(comment, view);
    const folds = view.body.length > 1500 || view.body.split("\n").length > 18;
    if (!folds) comment.querySelector(".unfold").remove();
    place(element);
    byId("none")?.remove();
    const number = byId("comments-number");
    if (number) number.textContent = Number(number.textContent) + 1;
  }
  function fillHead(comment, view) {
    const name = view.author.name;
    comment.querySelectorAll("bdi").forEach((element) => { element.textContent = name; });
    const link = comment.querySelector(".author a");
    const url = webAddress(ownOf(view.id)?.url);
    if (url) link.href = url;
    else link.replaceWith(...link.childNodes);
    const initial = comment.querySelector(".initial");
    initial.textContent = [...name].find((letter) => /[\p{L}\p{N}]/u.test(letter))?.toUpperCase()[0] ?? "·";
    initial.className = `initial hue-${[...name].reduce((sum, letter) => sum + letter.codePointAt(0), 0) % 6}`;
    const time = comment.querySelector("time");
    const at = new Date(view.created_at);
    const day = { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" };
    time.dateTime = view.created_at;
    time.textContent = `${at.toLocaleDateString("en-GB", day)}, ${at.toISOString().slice(11, 16)} UTC`;
    const reply = comment.querySelector(".reply");
    reply.dataset.reply = view.id;
    reply.href = `/?reply_to=${encodeURIComponent(view.id)}#form`;
  }
  function webAddress(text) {
    const url = text && URL.canParse(text) ? new URL(text) : null;
    return url && ["http:", "https:"].includes(url.protocol) ? url.href : null;
  }
  /** Put a comment below the one it answers, if that is on the page, or else at the end. */
  function place(element) {
    const parent = element.querySelector(".comment").dataset.parent;
    const branch = parent && byId(`comment-${parent}`)?.closest("#list > li");
    (branch ? branch.querySelector(".replies") : byId("list")).append(element);
  }
  function markOwn(comment) {
    if (!comment || comment.classList.contains("own")) return;
    comment.classList.add("own");
    if (comment.querySelector(".yours")) return;
    const mark = document.createElement("span");
    Object.assign(mark, { className: "yours", textContent: "Your comment" });
    comment.querySelector(".about").prepend(mark, " ");
  }
  async function showMore(event) {
    const link = event.currentTarget;
    event.preventDefault();
    link.textContent = "One moment…";
    try {
      const response = await fetch(link.href);
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      addPage(page, link);
    } catch {
      location.assign(link.href);
    }
  }
  function addPage(page, link) {
    const arrived = [...page.querySelectorAll("#list > li")];
    const first = arrived.find((element) => !byId(element.querySelector(".comment").id));
    arrived.filter((element) => !byId(element.querySelector(".comment").id)).forEach((element) => {
      place(document.adoptNode(element));
    });
    const next = page.getElementById("more");
    if (next) Object.assign(link, { href: next.href, textContent: "More comments" });
    else link.parentElement.remove();
    first?.querySelector(".reply").focus();
    ownComments().forEach((own) => markOwn(byId(`comment-${own.id}`)));
  }

  // ---- replies ----
  function answer(link, go = true) {
    const comment = link.closest(".comment");
    field.parent_id.value = comment.dataset.comment;
    byId("replying-name").textContent = comment.querySelector(".author").textContent;
    byId("replying").hidden = false;
    if (!go) return;
    byId("form").scrollIntoView();
    field.body.focus({ preventScroll: true });
  }
  function answerNothing() {
    field.parent_id.value = "";
    byId("replying").hidden = true;
  }

  /** Receipts in the address, left by a form sent without JavaScript, become this tab's memory. */
  function adoptAddress() {
    const address = new URL(location.href);
    const [id, receipt] = ["comment", "receipt"].map((name) => address.searchParams.get(name));
    if (!id || !receipt) return;
    rememberOwn({ id, receipt });
    address.search = "";
    history.replaceState(null, "", address);
    byId("own").replaceChildren();
  }
  /** After a reload: what became of the comments this tab sent. */
  async function tellAgain() {
    for (const own of ownComments()) {
      const place = document.createElement("div");
      byId("own").append(place);
      const view = await look(own.id);
      const onPage = byId(`comment-${own.id}`);
      if (view?.status === "approved" && (onPage || byId("more"))) markOwn(onPage);
      else if (view) await follow(own.id, view, (box) => place.replaceChildren(box));
    }
  }

  form.noValidate = true;
  form.addEventListener("submit", submit);
  form.addEventListener("input", () => { count(); keepDraft(); });
  byId("reply-off").addEventListener("click", (event) => { event.preventDefault(); answerNothing(); field.body.focus(); });
  byId("more")?.addEventListener("click", showMore);
  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-reply]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    answer(link);
  });
  adoptAddress();
  restoreDraft();
  count();
  tellAgain();
})();
