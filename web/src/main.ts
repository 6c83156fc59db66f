import "@fontsource-variable/figtree/wght.css";
import "@fontsource-variable/literata/wght.css";
import "./webawesome";
import "./tokens.css";
import { registerIcons } from "./icons";
import { followLinks } from "./router";
import "./shell/inkweld-app";

registerIcons();
followLinks();
