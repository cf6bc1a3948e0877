import '../styles/panels.css';
import './models.css';
import { keepLive } from '../live/live';

keepLive();
