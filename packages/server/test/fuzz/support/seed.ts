/**
 * How much is tried, and from which seed. A failure prints the seed and the path to its case; the same seed gives the
 * same cases. Another seed, or more runs, are asked for by the environment.
 */
const SEED = Number(process.env['ZUND_FUZZ_SEED'] ?? 20_261_125)
const MORE = Number(process.env['ZUND_FUZZ_TIMES'] ?? 1)

export function runs(numRuns: number): { seed: number; numRuns: number } {
  return { seed: SEED, numRuns: Math.ceil(numRuns * MORE) }
}
