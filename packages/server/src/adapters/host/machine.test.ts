/** What is read of a machine, from trees of files as kernels show them. */
import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { after, test } from 'node:test'
import { parseWhitelist } from '../../domain/scheduling/pci-whitelist.ts'
import { hasProjectQuotas } from './disk-quota.ts'
import { numaNodes } from './numa.ts'
import { pciDevices } from './pci.ts'

const root = mkdtempSync(join(tmpdir(), 'zund-machine-'))
after(() => rmSync(root, { recursive: true }))

function write(path: string, text: string): void {
  const file = join(root, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

test('NUMA nodes are those of the kernel, without the floating cores', async () => {
  for (const [id, cpus, kB] of [
    [10, '', 0],
    [0, '0-3,8-11', 8_388_608],
    [1, '4-7,12-15', 8_388_000],
  ] as const) {
    write(`node/node${id}/cpulist`, `${cpus}\n`)
    write(`node/node${id}/meminfo`, `Node ${id} MemTotal:       ${kB} kB\nNode ${id} MemFree: 1 kB\n`)
  }
  write('node/online', '0-1,10\n')
  assert.deepEqual(await numaNodes([0, 8, 4], join(root, 'node')), [
    { id: 0, cpus: [1, 2, 3, 9, 10, 11], memTotalMiB: 8_192 },
    { id: 1, cpus: [5, 6, 7, 12, 13, 14, 15], memTotalMiB: 8_191 },
    { id: 10, cpus: [], memTotalMiB: 0 },
  ])
  assert.deepEqual(await numaNodes([], join(root, 'nowhere')), [])
})

test('PCI devices are those on the list, each with its kind, its card and its tags', async () => {
  const device = (
    address: string,
    vendor: string,
    product: string,
    more: Readonly<Record<string, string>> = {},
  ): void => {
    write(`pci/${address}/vendor`, `0x${vendor}\n`)
    write(`pci/${address}/device`, `0x${product}\n`)
    for (const [name, text] of Object.entries(more)) write(`pci/${address}/${name}`, text)
  }
  device('0000:3b:00.0', '8086', '1572', { sriov_totalvfs: '64\n', numa_node: '1\n', 'net/ens1f0/mtu': '1500' })
  device('0000:3b:02.0', '8086', '154c', { numa_node: '1\n' })
  symlinkSync('../0000:3b:00.0', join(root, 'pci/0000:3b:02.0/physfn'))
  device('0000:5e:00.0', '10de', '1eb8', { numa_node: '-1\n' })
  device('0000:00:1f.0', '8086', 'a1c1')
  const list = parseWhitelist(
    '[{"address": "3b:00.0", "physical_network": "physnet1"}, {"vendor_id": "10de", "product_id": "1eb8"}]',
  )
  const card = { vendorId: '8086', numaNode: 1, tags: { physical_network: 'physnet1' } }
  assert.deepEqual(await pciDevices(list, join(root, 'pci')), [
    { ...card, address: '0000:3b:00.0', productId: '1572', devType: 'type-PF', parentAddress: null },
    { ...card, address: '0000:3b:02.0', productId: '154c', devType: 'type-VF', parentAddress: '0000:3b:00.0' },
    {
      address: '0000:5e:00.0',
      vendorId: '10de',
      productId: '1eb8',
      devType: 'type-PCI',
      parentAddress: null,
      numaNode: null,
      tags: {},
    },
  ])
  assert.deepEqual(
    (await pciDevices(parseWhitelist('{"devname": "ens1f0"}'), join(root, 'pci'))).map(({ address }) => address),
    ['0000:3b:00.0'],
  )
  assert.deepEqual(await pciDevices([], join(root, 'pci')), [])
  assert.deepEqual(await pciDevices(list, join(root, 'nowhere')), [])
})

test('project quotas are those of the file system that the directory really lies on', async () => {
  write(
    'mountinfo',
    [
      '22 1 8:1 / / rw,relatime shared:1 - xfs /dev/sda1 rw,attr2,noquota',
      '30 22 8:2 / /var/lib/docker rw,relatime shared:2 - xfs /dev/sda2 rw,attr2,prjquota',
      '31 22 8:3 / /var/lib/docker2 rw shared:3 - xfs /dev/sda3 rw,pquota',
      '32 22 8:4 / /srv/with\\040space rw - xfs /dev/sda4 rw,prjquota',
      '33 30 8:5 / /var/lib/docker/volumes rw - ext4 /dev/sda5 rw',
      '34 22 8:6 / /covered rw - xfs /dev/sda6 rw,prjquota',
      '35 22 8:7 / /covered rw - xfs /dev/sda7 rw,noquota',
    ].join('\n'),
  )
  const rows: readonly [string, boolean][] = [
    ['/home', false],
    ['/var/lib/docker', true],
    ['/var/lib/docker/overlay2', true],
    ['/var/lib/docker2', true],
    ['/var/lib/dockers', false],
    ['/var/lib/docker/volumes', false],
    ['/srv/with space/docker', true],
    ['/covered', false],
  ]
  for (const [directory, has] of rows) {
    assert.equal(await hasProjectQuotas(directory, join(root, 'mountinfo')), has, directory)
  }
  assert.equal(await hasProjectQuotas('/', join(root, 'nowhere')), false)
})
