import type { LogsRequest } from '../../orchestration/ports/engine.ts'
import { EngineRefused } from '../../domain/errors.ts'

interface LogLine {
  readonly stream: 'stdout' | 'stderr'
  readonly atMs: number
  text: string
}

/** What a container wrote, line by line in the order it came. */
export class SimLogs {
  readonly #lines: LogLine[] = []

  write(stream: 'stdout' | 'stderr', text: string, atMs: number): void {
    for (const piece of text.split(/(?<=\n)/)) {
      const open = this.#lines.findLast((line) => line.stream === stream)
      if (open !== undefined && !open.text.endsWith('\n')) open.text += piece
      else if (piece !== '') this.#lines.push({ stream, atMs, text: piece })
    }
  }

  read(request: LogsRequest): Buffer {
    if (!request.stdout && !request.stderr) throw new EngineRefused('you must choose at least one stream')
    const sinceMs = (request.since ?? 0) * 1000
    const lines = this.#lines.filter((line) => request[line.stream] && line.atMs >= sinceMs)
    const last = request.tail === null ? lines : lines.slice(Math.max(0, lines.length - request.tail))
    const texts = last.map((line) => (request.timestamps ? `${nanoseconds(line.atMs)} ${line.text}` : line.text))
    const whole = Buffer.from(texts.join(''))
    if (whole.length <= request.maxBytes) return whole
    const notice = Buffer.from('\n[the log is longer; it was cut here]\n')
    return Buffer.concat([whole.subarray(0, request.maxBytes), notice])
  }
}

function nanoseconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, -1)}000000Z`
}
