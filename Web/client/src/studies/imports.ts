import { filesOfDrop, filesOfInput } from './dropped';
import { Importer, type ImportFile } from './importer';
import { ImportPanel } from './panel';
import type { StudyList } from './list';

/** Takes files that are dropped anywhere on the page, or chosen, and stores them in ImageApi. Nothing goes elsewhere. */
export function offerImports(imageApi: string, list: StudyList): void {
  const panel = new ImportPanel();
  let importer: Importer | undefined;

  const begin = (files: readonly ImportFile[]) => {
    if (files.length === 0) {
      panel.showNothing();
      return;
    }
    if (importer?.progress.state !== 'running') {
      panel.open(() => importer?.cancel());
      importer = new Importer(`${imageApi}/dicomweb/studies`, (progress) => {
        panel.show(progress);
        warnBeforeLeaving(progress.state === 'running');
        if (progress.state !== 'running' && progress.storedFiles > 0) {
          void list.refresh(progress.studies);
        }
      });
    }
    importer.add(files);
  };

  listenToDrops(begin);
  listenToButtons(begin);
}

function listenToDrops(begin: (files: readonly ImportFile[]) => void): void {
  const target = document.createElement('div');
  target.className = 'drop-target';
  target.hidden = true;
  target.textContent = 'Drop to import';
  document.body.append(target);

  const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes('Files') ?? false;
  const hide = () => {
    target.hidden = true;
  };
  addEventListener('dragenter', (event) => {
    if (hasFiles(event)) {
      target.hidden = false;
    }
  });
  addEventListener('dragover', (event) => {
    if (hasFiles(event)) {
      event.preventDefault();
      target.hidden = false;
    }
  });
  addEventListener('dragleave', (event) => {
    if (event.relatedTarget === null) {
      hide();
    }
  });
  addEventListener('drop', (event) => {
    if (event.dataTransfer && hasFiles(event)) {
      event.preventDefault();
      hide();
      void filesOfDrop(event.dataTransfer).then(begin);
    }
  });
}

function listenToButtons(begin: (files: readonly ImportFile[]) => void): void {
  // Kept for the life of the page: an input that nothing refers to can be collected while its dialog is open.
  const input = document.createElement('input');
  input.type = 'file';
  input.multiple = true;
  input.addEventListener('change', () => {
    const files = input.files ? filesOfInput(input.files) : [];
    input.value = ''; // the same files can be chosen again
    begin(files);
  });
  document.addEventListener('click', (event) => {
    const button = (event.target as Element).closest('[data-import-files], [data-import-folder]');
    if (button) {
      input.webkitdirectory = button.matches('[data-import-folder]');
      input.click();
    }
  });
}

let isWarning = false;

function warnBeforeLeaving(isRunning: boolean): void {
  if (isRunning === isWarning) {
    return;
  }
  isWarning = isRunning;
  (isRunning ? addEventListener : removeEventListener)('beforeunload', ask);
}

function ask(event: BeforeUnloadEvent): void {
  event.preventDefault();
}
