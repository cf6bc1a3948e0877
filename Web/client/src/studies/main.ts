import './studies.css';
