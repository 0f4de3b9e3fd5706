// Loaded blocking in the head: the viewer's choice of colours stands before the first paint.
import { applyGround, applyTheme, GROUND_KEY, readChoice, THEME_KEY } from "./islands/choices";

applyTheme(readChoice(THEME_KEY));
applyGround(readChoice(GROUND_KEY));
document.documentElement.classList.add("js");
