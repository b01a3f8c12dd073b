import { twelveKills } from "./twelve-kills.ts";

twelveKills("job");
