"use strict";
// Without this script the page is as the server has made it: the wait stands there in words, and whoever presses too
// early gets the same page again.
const wait = document.getElementById("wait"), again = document.getElementById("again");
if (wait) {
  const end = Date.now() + wait.dataset.seconds * 1000;
  const clock = wait.querySelector("span");
  const tick = () => {
    const left = Math.ceil((end - Date.now()) / 1000);
    again.disabled = left > 0;
    if (left > 0) {
      clock.textContent = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, "0")}`;
      return;
    }
    clearInterval(timer);
    // Told once; a clock that is read out every second helps nobody.
    wait.setAttribute("role", "status");
    wait.textContent = wait.dataset.over;
  };
  const timer = setInterval(tick, 250);
  tick();
}
