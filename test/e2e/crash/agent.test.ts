import { twentyKills } from "./twenty-kills.ts";

twentyKills("agent");
