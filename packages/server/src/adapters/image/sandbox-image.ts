import { pack } from 'tar-stream'
import { BUILT_IN_SANDBOX_IMAGE } from '../../domain/capsule/sandbox.ts'
import { SystemFault } from '../../domain/errors.ts'
import type { CallOptions } from '../../orchestration/ports/control-plane.ts'
import type { ContainerEngine, EngineImage } from '../../orchestration/ports/engine.ts'
import { pauseProgram } from './pause-program.ts'

type Engine = Pick<ContainerEngine, 'info' | 'inspectImage' | 'importImage'>

const PROGRAM = 'pause'

/** The built-in image of sandboxes: made here and given to the engine, so that no registry is needed for a capsule. */
export class SandboxImage {
  readonly #engine: Engine
  #making: Promise<void> | undefined

  constructor(engine: Engine) {
    this.#engine = engine
  }

  async find(o: CallOptions): Promise<EngineImage | undefined> {
    return await this.#engine.inspectImage(BUILT_IN_SANDBOX_IMAGE, o)
  }

  async obtain(o: CallOptions): Promise<EngineImage> {
    const there = await this.find(o)
    if (there !== undefined) return there
    // Two that are made at once would leave one of them behind without a name.
    this.#making ??= this.#make(o).finally(() => {
      this.#making = undefined
    })
    await this.#making
    const made = await this.find(o)
    if (made === undefined) throw new SystemFault('sandbox.image_lost', 'the image of sandboxes went as it was made')
    return made
  }

  async #make(o: CallOptions): Promise<void> {
    const { architecture } = await this.#engine.info(o)
    const program = pauseProgram(architecture)
    if (program === undefined) {
      throw new SystemFault(
        'sandbox.no_image',
        `there is no built-in sandbox for the architecture ${architecture}: [DEFAULT] sandbox_image must name one`,
      )
    }
    await this.#engine.importImage(BUILT_IN_SANDBOX_IMAGE, await archiveOf(program), [`/${PROGRAM}`], o)
  }
}

async function archiveOf(program: Buffer): Promise<Buffer> {
  const tar = pack()
  // The same bytes each time.
  tar.entry({ name: PROGRAM, mode: 0o755, mtime: new Date(0) }, program)
  tar.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of tar as AsyncIterable<Buffer>) chunks.push(chunk)
  return Buffer.concat(chunks)
}
