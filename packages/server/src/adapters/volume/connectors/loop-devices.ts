import type { HostCommand } from '../../host-command/host-command.ts'
import { mustRun } from './faults.ts'

interface CallOptions {
  readonly signal: AbortSignal
}

const LOOKS = 10
const LOOK_MS = 200

/** Files of the host as block devices. */
export class LoopDevices {
  readonly #command: HostCommand

  constructor(command: HostCommand) {
    this.#command = command
  }

  /** The one that the file has, else a new one: two of one file would be two file systems on the same blocks. */
  async attach(file: string, readOnly: boolean, o: CallOptions): Promise<string> {
    const [there] = await this.of(file, o)
    if (there !== undefined) return there
    const mode = readOnly ? ['--read-only'] : []
    const { stdout } = await mustRun(this.#command, 'losetup', ['--find', '--show', ...mode, file], o)
    return stdout.trim()
  }

  /**
   * Resolves when the file has none any more. One that somebody still has open goes when they are done, as a container does a
   * moment after its engine has removed it; for longer nobody is waited for.
   */
  async detach(file: string, o: CallOptions): Promise<void> {
    for (const device of await this.of(file, o)) await mustRun(this.#command, 'losetup', ['--detach', device], o)
    for (let look = 1; look <= LOOKS && (await this.of(file, o)).length > 0; look += 1) {
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      o.signal.throwIfAborted()
    }
  }

  async of(file: string, o: CallOptions): Promise<string[]> {
    return (await this.all(o)).filter((one) => one.file === file).map(({ device }) => device)
  }

  async all(o: CallOptions): Promise<{ readonly device: string; readonly file: string }[]> {
    const args = ['--list', '--noheadings', '--raw', '--output', 'NAME,BACK-FILE']
    const { stdout } = await mustRun(this.#command, 'losetup', args, o)
    return stdout.split('\n').flatMap((line) => {
      const [, device, file] = /^(\S+) (.+)$/.exec(line.trim()) ?? []
      if (device === undefined || file === undefined) return []
      return { device, file: unescape(file).replace(/ \(deleted\)$/, '') }
    })
  }
}

/** In raw lists, blanks and the like are written as hexadecimal numbers. */
function unescape(text: string): string {
  return text.replaceAll(/\\x([0-9a-f]{2})/gi, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)))
}
