import { twentyKills } from "./twenty-kills.ts";

twentyKills("job");
