import { ApiError, Unavailable } from '../../domain/errors.ts'
import type { RequestContext } from '../context.ts'

export interface StreamBounds {
  /** [zund] streams_per_project */
  readonly perProject: number
  /** [zund] max_streams: of this process. */
  readonly total: number
}

/** Counts what is open, so that one project cannot have all of it. */
export class OpenStreams {
  readonly #bounds: StreamBounds
  readonly #ofProjects = new Map<string, number>()
  #all = 0

  constructor(bounds: StreamBounds) {
    this.#bounds = bounds
  }

  /** The function that is given back is to be called when the stream is over; again does nothing. */
  enter({ caller }: RequestContext): () => void {
    const { perProject, total } = this.#bounds
    const who = caller.projectId ?? caller.userId
    const has = this.#ofProjects.get(who) ?? 0
    if (has >= perProject) {
      throw new ApiError(429, 'too-many-streams', `At most ${perProject} streams of a project can be open at once.`)
    }
    if (this.#all >= total) throw new Unavailable(`At most ${total} streams can be open at once.`)
    this.#all += 1
    this.#ofProjects.set(who, has + 1)
    let isOpen = true
    return () => {
      if (!isOpen) return
      isOpen = false
      this.#all -= 1
      const left = (this.#ofProjects.get(who) ?? 1) - 1
      if (left === 0) this.#ofProjects.delete(who)
      else this.#ofProjects.set(who, left)
    }
  }
}
