// The look: as the system, light or dark; remembered in a cookie, so that pages arrive in it.
const LOOKS = ["auto", "light", "dark"];

export function startTheme() {
  const root = document.documentElement, button = document.getElementById("theme");
  const tell = () => {
    button.setAttribute("aria-label", button.dataset[root.dataset.theme]);
    button.title = button.dataset[root.dataset.theme];
  };
  button.addEventListener("click", () => {
    root.dataset.theme = LOOKS[(LOOKS.indexOf(root.dataset.theme) + 1) % LOOKS.length];
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax`;
    tell();
  });
  tell();
}
