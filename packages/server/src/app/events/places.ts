import { Unavailable } from '../../domain/errors.ts'

/** How many may be open at once: of all, and of one user a quarter of them, so that one cannot shut out the others. */
export class Places {
  readonly #most: number
  readonly #what: string
  readonly #byUser = new Map<string, number>()
  #taken = 0

  constructor(most: number, what: string) {
    this.#most = most
    this.#what = what
  }

  /** Gives back how to leave. */
  take(userId: string): () => void {
    const own = this.#byUser.get(userId) ?? 0
    const mostOfOne = Math.max(1, Math.floor(this.#most / 4))
    if (this.#taken >= this.#most) throw full(`There are ${this.#most} ${this.#what} open already, and no more may be.`)
    if (own >= mostOfOne)
      throw full(`You have ${mostOfOne} ${this.#what} open already, and no more may be of one user.`)
    this.#taken += 1
    this.#byUser.set(userId, own + 1)
    let isLeft = false
    return () => {
      if (isLeft) return
      isLeft = true
      this.#taken -= 1
      const left = (this.#byUser.get(userId) ?? 1) - 1
      if (left === 0) this.#byUser.delete(userId)
      else this.#byUser.set(userId, left)
    }
  }
}

function full(message: string): Unavailable {
  return new Unavailable(message, { retryAfterS: 10 })
}
