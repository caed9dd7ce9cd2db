// Starts the page: the connection and the world first, then what shows them.

import "@fontsource-variable/inter/wght.css";
import "maplibre-gl/dist/maplibre-gl.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/map.css";

import { render } from "preact";

import { App } from "./app";
import { startSession } from "./state/session";
import { applyTheme } from "./state/settings";
import { loadWorld } from "./state/world";

applyTheme();
startSession();
void loadWorld();

const root = document.getElementById("app");
if (root) render(<App />, root);
