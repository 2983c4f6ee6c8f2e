import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeBusyboxTree } from '../test/busybox-image.ts'
import { run } from '../test/run.ts'

const TIMEOUT_MS = 60_000

/** A busybox as `docker save` writes it, without a container engine: one layer, the image's description, a manifest. */
export async function busyboxArchive(): Promise<Buffer> {
  const scratch = mkdtempSync(join(tmpdir(), 'zund-image-'))
  const signal = AbortSignal.timeout(TIMEOUT_MS)
  const tar = async (directory: string, file: string): Promise<Buffer> => {
    await run(['tar', '-C', directory, '--owner=0', '--group=0', '--mtime=@0', '--sort=name', '-cf', file, '.'], {
      signal,
    })
    return readFileSync(file)
  }
  try {
    const tree = join(scratch, 'tree')
    makeBusyboxTree(tree)
    const layer = await tar(tree, join(scratch, 'layer'))
    const description = JSON.stringify({
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      created: new Date(0).toISOString(),
      config: { Cmd: ['sh'], Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
      history: [{ created: new Date(0).toISOString(), created_by: 'busybox' }],
    })
    const config = `${sha256(description)}.json`
    const archive = join(scratch, 'archive')
    mkdirSync(join(archive, 'layer'), { recursive: true })
    writeFileSync(join(archive, 'layer/layer.tar'), layer)
    writeFileSync(join(archive, config), description)
    const manifest = [{ Config: config, RepoTags: ['busybox:latest'], Layers: ['layer/layer.tar'] }]
    writeFileSync(join(archive, 'manifest.json'), JSON.stringify(manifest))
    return await tar(archive, join(scratch, 'archive.tar'))
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function sha256(data: string | Buffer): string {
  return createHash('sha256').update(data).digest('hex')
}
