import '../styles/panels.css';
import './pictures.css';
import { PictureError, remove, send } from './api';
import { Lightbox, picturesOf } from './lightbox';
import { Uploads } from './uploads';

const root = byId('pictures');
const imagesUrl = `${root.dataset['imageApi']}/images`;
const files = byId<HTMLInputElement>('files');
const replacement = byId<HTMLInputElement>('replacement');
const lightbox = new Lightbox(() => picturesOf(root));
const uploads = new Uploads(imagesUrl, () => void refresh('The new pictures are in the grid.'));

/** The server draws the list: this puts its latest one in the place of what is there. */
async function refresh(say: string): Promise<void> {
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' } });
    const page = new DOMParser().parseFromString(await answer.text(), 'text/html');
    const fresh = page.getElementById('pictures');
    if (answer.ok && fresh) {
      root.replaceChildren(...fresh.childNodes);
      byId('pictures-status').textContent = say;
      return;
    }
  } catch {
    // Said below.
  }
  byId('pictures-status').textContent = 'The list could not be read again. Reload the page to see the change.';
}

document.addEventListener('click', (event) => {
  const target = event.target as Element;
  if (target.closest('[data-add]')) {
    files.click();
  } else if (target.closest('[data-keys]')) {
    byId<HTMLDialogElement>('keys').showModal();
  } else if (target.closest('[data-replace]')) {
    replacement.click();
  } else if (target.closest('[data-delete]')) {
    askToDelete();
  }
  const link = target.closest<HTMLAnchorElement>('a[data-picture]');
  // A new tab is the picture itself.
  if (link && !event.ctrlKey && !event.metaKey && !event.shiftKey && event.button === 0) {
    const picture = picturesOf(root).find(({ id }) => id === link.dataset['picture']);
    if (picture) {
      event.preventDefault();
      lightbox.show(picture);
    }
  }
});

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || document.querySelector('dialog[open]')) {
    return;
  }
  if (event.key === 'u' || event.key === 'U') {
    files.click();
  } else if (event.key === '?') {
    byId<HTMLDialogElement>('keys').showModal();
  }
});

files.addEventListener('change', () => {
  uploads.add([...(files.files ?? [])]);
  files.value = '';
});

replacement.addEventListener('change', () => {
  const file = replacement.files?.[0];
  replacement.value = '';
  if (file) {
    askToReplace(file);
  }
});

// Files may be dropped anywhere; a page that navigates away to a dropped file is nobody's wish.
for (const type of ['dragenter', 'dragover']) {
  document.addEventListener(type, (event) => {
    if ((event as DragEvent).dataTransfer?.types.includes('Files')) {
      event.preventDefault();
      document.body.classList.add('is-dropping');
    }
  });
}
document.addEventListener('dragleave', (event) => event.relatedTarget === null && document.body.classList.remove('is-dropping'));
document.addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('is-dropping');
  uploads.add([...(event.dataTransfer?.files ?? [])]);
});

function askToDelete(): void {
  const picture = lightbox.shown;
  if (picture) {
    ask(`Delete “${picture.name}”?`, `${picture.about}. It is removed from the image server for everybody and cannot be brought back; links to it stop working.`, 'Delete', async () => {
      await remove(`${imagesUrl}/${picture.id}`, picture.version);
      lightbox.close();
      await refresh(`${picture.name} was deleted.`);
      byId('main').focus();
    });
  }
}

function askToReplace(file: File): void {
  const picture = lightbox.shown;
  if (picture) {
    ask(`Replace “${picture.name}”?`, `“${file.name}” takes its place: every link to it shows the new picture, and the old one (${picture.about}) cannot be brought back.`, 'Replace', async () => {
      await send('PUT', `${imagesUrl}/${picture.id}`, file, { headers: { 'If-Match': `"${picture.version}"` } });
      await refresh(`${picture.name} was replaced.`);
      const current = picturesOf(root).find(({ id }) => id === picture.id);
      if (current) {
        lightbox.show(current);
      } else {
        lightbox.close();
      }
    });
  }
}

/** Asks, does it, and says in the same place why it could not be done. */
function ask(title: string, text: string, yes: string, act: () => Promise<void>): void {
  const dialog = byId<HTMLDialogElement>('question');
  const problem = byId('question-problem');
  const confirm = byId<HTMLButtonElement>('question-yes');
  byId('question-title').textContent = title;
  byId('question-text').textContent = text;
  problem.hidden = true;
  confirm.textContent = yes;
  confirm.disabled = false;
  confirm.onclick = async () => {
    confirm.disabled = true;
    try {
      await act();
      dialog.close();
    } catch (error) {
      problem.textContent = error instanceof PictureError ? error.message : 'It could not be done.';
      problem.hidden = false;
      confirm.disabled = false;
    }
  };
  byId('question-no').onclick = () => dialog.close();
  dialog.showModal();
  byId('question-no').focus();
}

function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}
