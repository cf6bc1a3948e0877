import '../styles/panels.css';
import './origins.css';
import { keepLive } from '../live/live';

keepLive();
