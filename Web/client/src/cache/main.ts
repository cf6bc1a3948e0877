import '../styles/panels.css';
import './cache.css';
import { keepLive } from '../live/live';

keepLive();
