/** Runs one benchmark file in this process and prints its figures. Started by bench/run.ts, once for each. */
import { figureLine, loadBench } from './bench.ts'

const stop = new AbortController()
process.on('SIGINT', () => stop.abort())

const bench = await loadBench(process.argv[2] ?? '')
for (const figure of await bench.run({ signal: stop.signal })) console.log(figureLine(figure))
