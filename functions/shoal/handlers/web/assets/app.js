// What pages need beside htmx: copying, asking before something cannot be undone, and one answer to a double click.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  await navigator.clipboard.writeText(source.textContent.trim());
  const said = button.textContent;
  button.textContent = "Copied";
  setTimeout(() => { button.textContent = said; }, 1600);
});
document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});
// The server takes a form that comes twice for one; here its first answer is not thrown away for the second.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post" || form.hasAttribute("hx-post")) return;
  if (Date.now() - (form.dataset.sent ?? 0) < 3000) event.preventDefault();
  else form.dataset.sent = Date.now();
});
document.addEventListener("change", (event) => {
  if (event.target.matches("[data-submits]")) event.target.form.requestSubmit();
});
// What is shown stays, and is asked for again, while the service or the way to it is briefly out of order.
document.addEventListener("htmx:beforeSwap", (event) => {
  const { requestConfig, xhr } = event.detail;
  if (requestConfig.verb === "get" && (xhr.status === 429 || xhr.status >= 500)) event.detail.shouldSwap = false;
});
// On a narrow screen the links scroll sideways: bring this page's into sight.
// (`scrollIntoView` would also move where the keyboard starts.)
const here = document.querySelector(".links [aria-current]");
if (here) here.parentElement.scrollLeft = here.offsetLeft - (here.parentElement.clientWidth - here.offsetWidth) / 2;
