import './viewer.css';

document.getElementById('viewer')?.setAttribute('data-state', 'starting');
