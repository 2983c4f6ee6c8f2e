/** One output of two: what a program wrote before one came, as its log has it, and what comes since. */

/** More than what is written while a log is on its way. */
const MOST = 64 * 1024

export class Joined {
  readonly #write: (data: Uint8Array) => Promise<void>
  /** What has come while the log has not; null: it was shown. */
  #held: Buffer[] | null = []
  #shown: Promise<void> = Promise.resolve()

  constructor(write: (data: Uint8Array) => Promise<void>) {
    this.#write = write
  }

  async take(data: Buffer): Promise<void> {
    if (this.#held === null) {
      await this.#shown
      return await this.#write(data)
    }
    this.#held.push(data)
  }

  /** Once, with the log as it is when what comes since has begun to come; so nothing is in neither. */
  async begin(log: Promise<string>): Promise<void> {
    // A log that cannot be read is no reason to show nothing.
    const before = Buffer.from(await log.catch(() => ''))
    const since = Buffer.concat(this.#held ?? [])
    this.#held = null
    this.#shown = this.#write(Buffer.concat([before, since.subarray(overlap(before, since))]))
    await this.#shown
  }
}

/** How many bytes the first ends and the second begins with. */
function overlap(first: Buffer, second: Buffer): number {
  for (let length = Math.min(first.length, second.length, MOST); length > 0; length -= 1) {
    if (first.subarray(-length).equals(second.subarray(0, length))) return length
  }
  return 0
}
