/** Work that takes time in proportion to `rounds`. */
export function compute(rounds: number): number {
  let value = 1;
  for (let round = 0; round < rounds; round++) value = (value * 48_271) % 2_147_483_647;
  return value;
}
