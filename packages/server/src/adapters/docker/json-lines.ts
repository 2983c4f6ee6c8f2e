/** Objects of a stream that holds one JSON text per line. A line longer than this is not one of the engine's. */
const LONGEST_LINE = 4 * 1024 * 1024

export async function* jsonLines(body: AsyncIterable<Buffer>): AsyncIterable<Record<string, unknown>> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    if (rest.length > LONGEST_LINE) throw new Error('a line of the stream is too long')
    const lines = rest.split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const parsed = parseLine(line)
      if (parsed !== undefined) yield parsed
    }
  }
  const last = parseLine(rest)
  if (last !== undefined) yield last
}

function parseLine(line: string): Record<string, unknown> | undefined {
  if (line.trim() === '') return undefined
  const value: unknown = JSON.parse(line)
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
}
