import './viewer.css';
import { readConfig } from './config';
import { Viewer } from './viewer';

const host = document.getElementById('viewer');
if (host) {
  performance.setResourceTimingBufferSize(20_000); // a series is thousands of frames; each one's timing says its tier
  new Viewer(host, readConfig(document)).start();
}
