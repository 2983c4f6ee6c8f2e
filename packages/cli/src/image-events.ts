/** What the service tells of an image that it was asked to pull. */
import type { Api } from './api.ts'
import { messages } from './event-stream.ts'
import { Failure } from './failures.ts'
import { field } from './http.ts'
import type { Progress } from './output/progress.ts'
import { showOne } from './pull-progress.ts'

const TYPES = ['image.progress', 'image.stored', 'image.failed', 'image.deleted']

/** Gives events of all images, those before its being opened not among them, until `signal` is aborted. */
export async function openPull(api: Api, signal: AbortSignal): Promise<() => AsyncGenerator> {
  const open = async (last?: string) =>
    await api.open('GET', 'events', {
      query: { type: TYPES, ...(last === undefined ? {} : { last_event_id: last }) },
      headers: { accept: 'text/event-stream' },
      timeoutMs: 60_000,
      signal,
    })
  let answer = await open()
  return async function* () {
    let last: string | undefined
    for (;;) {
      for await (const { id, data } of messages(answer)) {
        last = id ?? last
        if (data !== undefined) yield JSON.parse(data)
      }
      // The stream ends when the service stops, and goes on where it was.
      answer = await open(last)
    }
  }
}

/** Until it is there. Failure with the reason when it will not be. */
export async function followPull(told: () => AsyncGenerator, uuid: string, progress: Progress): Promise<void> {
  for await (const event of told()) {
    if (field(event, 'type') === 'reset') throw new Failure('what became of the pull is not known any more')
    if (field(event, 'uuid') !== uuid) continue
    switch (field(event, 'type')) {
      case 'image.progress':
        showOne(field(event, 'pull'), progress)
        break
      case 'image.stored':
        return
      case 'image.failed':
        throw new Failure(String(field(event, 'error_message')))
      case 'image.deleted':
        throw new Failure('the image was deleted while it was pulled')
    }
  }
}
