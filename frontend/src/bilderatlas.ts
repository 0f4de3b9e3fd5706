// Everything that a page may need: one custom element a file; each sleeps where it is absent.
import "./islands/copy-link";
import "./islands/deep-zoom";
import "./islands/drop-upload";
import "./islands/ground-switch";
import "./islands/job-progress";
import "./islands/key-sheet";
import "./islands/language-switch";
import "./islands/open-words";
import "./islands/picture-compare";
import "./islands/picture-grid";
import "./islands/region-draw";
import "./islands/search-desk";
import "./islands/selection";
import "./islands/theme-switch";
