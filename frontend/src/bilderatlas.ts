// Everything that a page may need: one custom element a file; each sleeps where it is absent.
import "./islands/choices";
