import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toEngineInfo, type InfoAnswer } from './info.ts'

const ANSWER: InfoAnswer = {
  ServerVersion: '20.10.24',
  NCPU: 8,
  MemTotal: 16 * 1024 ** 3,
  Architecture: 'x86_64',
  OSType: 'linux',
  OperatingSystem: 'Debian GNU/Linux 12',
  KernelVersion: '6.1.0',
  DockerRootDir: '/var/lib/docker',
  Driver: 'overlay2',
  Containers: 3,
}

const of = (more: Partial<InfoAnswer>) => toEngineInfo({ ...ANSWER, ...more }, '1.41')

test('labels and runtimes are those of the engine; one that names no runtime has runc', () => {
  const said = of({ Labels: ['rack=a1', 'note=a=b', 'bare'], Runtimes: { runc: {}, kata: {} }, DefaultRuntime: 'kata' })
  assert.deepEqual(said.labels, { rack: 'a1', note: 'a=b', bare: '' })
  assert.deepEqual([said.runtimes, said.defaultRuntime], [['runc', 'kata'], 'kata'])
  for (const nothing of [{}, { Labels: null, Runtimes: null }, { Labels: [], Runtimes: {} }]) {
    const silent = of(nothing)
    assert.deepEqual([silent.labels, silent.runtimes, silent.defaultRuntime], [{}, ['runc'], 'runc'])
  }
})

test('which storage can limit a disk, and what the least size is', () => {
  const rows: readonly (readonly [driver: string, status: [string, string][], limits: boolean, base: number | null])[] =
    [
      ['overlay2', [['Backing Filesystem', 'xfs']], true, null],
      ['overlay2', [['Backing Filesystem', 'extfs']], false, null],
      ['btrfs', [], true, null],
      ['zfs', [], true, null],
      ['devicemapper', [['Base Device Size', '10.74GB']], true, 11],
      ['devicemapper', [['Base Device Size', '500MB']], true, 1],
      ['devicemapper', [['Base Device Size', 'much']], true, null],
      ['vfs', [], false, null],
      ['aufs', [], false, null],
    ]
  for (const [Driver, DriverStatus, limits, base] of rows) {
    const { storageDriver, diskQuotaSupported, diskBaseGiB } = of({ Driver, DriverStatus })
    assert.deepEqual([storageDriver, diskQuotaSupported, diskBaseGiB], [Driver, limits, base], Driver)
  }
})
