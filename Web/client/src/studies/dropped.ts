import type { ImportFile } from './importer';

const maxFiles = 100_000;

/** Files that systems leave in folders and that nobody means to import. */
const litter = /^(\.|desktop\.ini$|thumbs\.db$|dicomdir$|lockfile$)/i;

/** Everything that was dropped, folders walked through. Entries must be taken before the event ends, so this reads them at once. */
export async function filesOfDrop(transfer: DataTransfer): Promise<ImportFile[]> {
  const entries = [...transfer.items].map((item) => (item.kind === 'file' ? item.webkitGetAsEntry() : null)).filter((entry) => entry !== null);
  if (entries.length === 0) {
    return filesOfInput(transfer.files);
  }
  const files: ImportFile[] = [];
  // A file dropped by name is meant, whatever its name; litter is left out of folders only.
  for (const entry of entries) {
    await walk(entry, files, true);
  }
  return files;
}

/** The files of an input, of a folder or one by one. */
export function filesOfInput(list: FileList): ImportFile[] {
  return [...list]
    .map((file) => ({ file, path: file.webkitRelativePath || file.name }))
    .filter(({ file, path }) => path === file.name || !litter.test(file.name))
    .slice(0, maxFiles);
}

async function walk(entry: FileSystemEntry, files: ImportFile[], isNamed: boolean): Promise<void> {
  if (files.length >= maxFiles || (!isNamed && litter.test(entry.name))) {
    return;
  }
  if (entry.isFile) {
    const file = await new Promise<File | undefined>((resolve) => (entry as FileSystemFileEntry).file(resolve, () => resolve(undefined)));
    if (file) {
      files.push({ file, path: entry.fullPath.replace(/^\//, '') });
    }
    return;
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  for (;;) {
    // A reader gives a folder in batches; an empty one ends it.
    const batch = await new Promise<FileSystemEntry[]>((resolve) => reader.readEntries(resolve, () => resolve([])));
    if (batch.length === 0) {
      return;
    }
    for (const child of batch) {
      await walk(child, files, false);
    }
  }
}
