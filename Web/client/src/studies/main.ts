import './studies.css';
import { StudyList } from './list';
import { Arrivals } from './arrivals';
import { offerImports } from './imports';
import { listenToKeys } from './keys';
import { prefetchOnIntent } from './prefetch';

const results = document.getElementById('studies');
const form = document.getElementById('search');

if (results instanceof HTMLElement && form instanceof HTMLFormElement) {
  const list = new StudyList(results, form);
  listenToKeys(list);
  prefetchOnIntent(results);
  new Arrivals(results, list).start();
  offerImports(results.dataset['imageApi'] ?? '', list);
  if (location.hash === '#search') {
    list.searchBox.focus(); // "/" in the viewer leads here
  }
}
