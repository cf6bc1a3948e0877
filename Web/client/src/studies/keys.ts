import type { StudyList } from './list';

/** The list's keys; "?" shows them. Keys typed into a field, or held with a modifier, are left alone. */
export function listenToKeys(list: StudyList): void {
  const help = document.getElementById('keys') as HTMLDialogElement | null;
  document.querySelector('[data-keys]')?.addEventListener('click', () => help?.showModal());
  help?.addEventListener('click', (event) => {
    if (event.target === help) {
      help.close();
    }
  });

  document.addEventListener('keydown', (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || help?.open) {
      return;
    }
    const inSearch = event.target === list.searchBox;
    const inField = (event.target as Element).matches('input, select, textarea');
    if (inField && !(inSearch && event.key === 'ArrowDown')) {
      return;
    }
    if (act(event.key, list, help)) {
      event.preventDefault();
    }
  });
}

function act(key: string, list: StudyList, help: HTMLDialogElement | null): boolean {
  const rows = list.rows;
  const at = rows.findIndex((row) => row === document.activeElement);
  switch (key) {
    case '/':
      list.searchBox.focus();
      list.searchBox.select();
      return true;
    case '?':
      help?.showModal();
      return true;
    case 'ArrowDown':
      return focus(rows[Math.min(at + 1, rows.length - 1)]);
    case 'ArrowUp':
      if (at === 0) {
        list.searchBox.focus();
        return true;
      }
      return focus(at < 0 ? rows.at(-1) : rows[at - 1]);
    case 'Home':
      return at >= 0 && focus(rows[0]);
    case 'End':
      return at >= 0 && focus(rows.at(-1));
    case '[':
    case ']': {
      const link = list.pageLink(key === '[' ? 'prev' : 'next');
      link?.click();
      return link !== null;
    }
    default:
      return false;
  }
}

function focus(row: HTMLElement | undefined): boolean {
  row?.focus();
  row?.scrollIntoView({ block: 'nearest' });
  return row !== undefined;
}
