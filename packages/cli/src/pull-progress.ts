import type { Api } from './api.ts'
import { messages } from './event-stream.ts'
import { field } from './http.ts'
import type { Progress } from './output/progress.ts'
import { bytes } from './words.ts'

/** Shows how far the image of a container that is made is pulled, until the signal is aborted. It fails silently. */
export async function showPull(api: Api, uuid: string, progress: Progress, signal: AbortSignal): Promise<void> {
  try {
    const query = { uuid, type: 'action.progress' }
    const headers = { accept: 'text/event-stream' }
    const answer = await api.open('GET', 'events', { query, headers, signal })
    for await (const { data } of messages(answer)) {
      const pull = data === undefined ? null : field(JSON.parse(data), 'pull')
      if (!signal.aborted) showOne(pull, progress)
    }
  } catch {
    // Without it there is less to see, and nothing is wrong with the container.
  }
}

/** `pull` of an event of type action.progress. */
export function showOne(pull: unknown, progress: Pick<Progress, 'bar'>): void {
  const [image, layers] = [field(pull, 'image'), field(pull, 'layers')]
  if (typeof image !== 'string') return
  const [here, all] = [field(layers, 'current'), field(layers, 'total')]
  const size = field(pull, 'bytes')
  const [current, total] = [field(size, 'current'), field(size, 'total')]
  const what = `pulling ${image} · layer ${String(here)} of ${String(all)}`
  if (typeof current !== 'number' || typeof total !== 'number') {
    progress.bar(`pulling ${image}`, Number(here), Number(all), (n) => `${n} layers`)
  } else progress.bar(what, current, total, bytes)
}
